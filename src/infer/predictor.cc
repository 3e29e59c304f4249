#include "infer/predictor.h"

#include <algorithm>

#include "base/error.h"

namespace malssi {

void Predictor::set_adapters(int64_t, const AdapterMix& mix) {
  CHECK(mix.empty(), "this predictor has no adapters");
}

std::span<const float> prefill(Predictor& predictor, int64_t slot, std::span<const int32_t> ids,
                               const std::function<bool()>& cancelled) {
  constexpr size_t kChunk = 256;
  CHECK(!ids.empty(), "nothing to feed");
  while (!cancelled || !cancelled()) {
    const size_t count = std::min(ids.size(), kChunk);
    const bool last = count == ids.size();
    const Predictor::Piece piece{.slot = slot, .ids = ids.first(count), .logits = last ? 1 : 0};
    const std::span<const float> logits = predictor.feed({&piece, 1});
    if (last) return logits;
    ids = ids.subspan(count);
  }
  return {};
}

}  // namespace malssi
