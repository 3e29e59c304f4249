#include "nn/context.h"

#include "base/random.h"

namespace malssi {

CausalBatch::CausalBatch(std::vector<int32_t> starts, uint64_t dropout_seed)
    : starts_(std::move(starts)), dropout_seed_(dropout_seed) {
  REQUIRE(starts_.size() >= 2 && starts_.front() == 0,
          "batch: sequence boundaries must begin with 0 and end with the count");
  positions_.reserve(static_cast<size_t>(starts_.back()));
  for (size_t s = 0; s + 1 < starts_.size(); ++s) {
    REQUIRE(starts_[s] < starts_[s + 1], "batch: sequence ", s, " is empty");
    for (int32_t i = starts_[s]; i < starts_[s + 1]; ++i) positions_.push_back(i - starts_[s]);
  }
}

Tensor CausalBatch::attend(int64_t layer, const Tensor& qkv, const AttentionSpec& spec) {
  const Tensor rotated =
      spec.rope == nullptr
          ? qkv
          : rope_in_place(qkv, positions_, *spec.rope, spec.heads.heads + spec.heads.kv_heads);
  const float rate = dropout_seed_ == 0 ? 0 : spec.dropout;
  const uint64_t seed = splitmix64(dropout_seed_ + 977 * static_cast<uint64_t>(layer));
  return attention(
      rotated, starts_, spec.heads,
      {.dropout = {rate, seed}, .mask = spec.mask, .window = spec.window, .softcap = spec.softcap});
}

}  // namespace malssi
