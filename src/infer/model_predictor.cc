#include "infer/model_predictor.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/parallel.h"
#include "infer/rows.h"
#include "models/classifier.h"
#include "models/value_head.h"

namespace malssi {

namespace {

// Passes too small to share run on one thread: they take less than the waiting for a second one, which on a busy machine
// costs a time slice at each of their many barriers (measured: 7 tokens/s instead of 300).
class FittingThreads {
 public:
  FittingThreads(int64_t parameters, int64_t tokens) {
    constexpr int64_t kSmallModel = int64_t{4} << 20;  // its weights stay in one core's cache
    constexpr int64_t kSmallPass = int64_t{100}
                                   << 20;  // products of weight and token: a millisecond
    if (parameters <= kSmallModel && parameters * tokens <= kSmallPass) set_thread_count(1);
  }
  ~FittingThreads() { set_thread_count(before_); }
  FittingThreads(const FittingThreads&) = delete;
  FittingThreads& operator=(const FittingThreads&) = delete;

 private:
  int before_ = thread_count();
};

// As exact as the weights: f32 for those in f32 or f16, else bf16 where the processor multiplies it.
DType usual_cache(Model& model) {
  bool is_exact = true;
  model.visit([&](const Parameter& p) {
    if (p.held == nullptr) return;
    for (const Tensor& part : *p.held)
      is_exact &= part.dtype() == DType::f32 || part.dtype() == DType::f16;
  });
  return is_exact ? model.dtype() : best_compute_dtype();
}

}  // namespace

namespace {

int64_t most_virtual(Model& model) {
  int64_t most = 0;
  for (const VirtualTokens& each : model.virtual_tokens()) most = std::max(most, each.count());
  return most;
}

// Tokens of a slot: as asked for, or as many as the model takes beside virtual ones.
int64_t capacity_of(Model& model, int64_t asked) {
  const int64_t most = model.config().context - most_virtual(model);
  return asked > 0 ? std::min(asked, most) : most;
}

}  // namespace

ModelPredictor::ModelPredictor(Model& model, int64_t slots, int64_t capacity,
                               std::optional<DType> cache)
    : model_(model),
      parameters_(model.parameter_count()),
      slots_(slots),
      capacity_(capacity_of(model, capacity)),
      cache_(model.config(), slots, capacity_ + most_virtual(model),
             cache ? *cache : usual_cache(model), model.dtype()),
      mixes_(static_cast<size_t>(slots)),
      virtual_(static_cast<size_t>(slots)) {
  REQUIRE(!has_value_head(model),
          "a reward model says how good an answer is and writes none: name a language model");
  REQUIRE(!labels_of(model),
          "a classifier labels texts (malssi classify) and writes none: name a language model");
}

int64_t ModelPredictor::lead(int64_t slot) const {
  const VirtualTokens* const tokens = virtual_[static_cast<size_t>(slot)];
  return tokens == nullptr ? 0 : tokens->count();
}

int64_t ModelPredictor::length(int64_t slot) const {
  return std::max<int64_t>(0, cache_.length(slot) - lead(slot));
}

void ModelPredictor::truncate(int64_t slot, int64_t length) {
  cache_.truncate(slot, length == 0 ? 0 : length + lead(slot));
}

void ModelPredictor::copy(int64_t from, int64_t to) {
  cache_.copy(from, to);
  mixes_[static_cast<size_t>(to)] = mixes_[static_cast<size_t>(from)];
  virtual_[static_cast<size_t>(to)] = virtual_[static_cast<size_t>(from)];
}

void ModelPredictor::check_adapters(const AdapterMix& mix) const {
  const VirtualTokens* const tokens = std::as_const(model_).virtual_tokens(mix);
  CHECK(tokens == nullptr || tokens->count() + capacity_ <= cache_.capacity(),
        "an adapter was attached after the predictor was made");
}

void ModelPredictor::set_adapters(int64_t slot, const AdapterMix& mix) {
  AdapterMix& held = mixes_[static_cast<size_t>(slot)];
  CHECK(length(slot) == 0 || held == mix, "slot ", slot, " holds tokens of other adapters");
  check_adapters(mix);
  held = mix;
  virtual_[static_cast<size_t>(slot)] = std::as_const(model_).virtual_tokens(mix);
}

std::span<const float> ModelPredictor::feed(std::span<const Piece> pieces) {
  std::vector<int32_t> ids;
  std::vector<CachedContext::Piece> parts;
  std::vector<int64_t> wanted;  // rows whose logits are
  AdapterRows adapters;
  for (const Piece& piece : pieces) {
    const auto count = static_cast<int64_t>(piece.ids.size());
    CHECK(count > 0 && length(piece.slot) + count <= capacity_, "slot ", piece.slot, " holds ",
          length(piece.slot), " of ", capacity_, " tokens; ", count, " more do not fit");
    for (const int32_t id : piece.ids)
      REQUIRE(id >= 0 && id < vocab(), "token ", id, " is outside the model's vocabulary of ",
              vocab(), ": model and tokenizer do not belong together");
    const VirtualTokens* const tokens = virtual_[static_cast<size_t>(piece.slot)];
    const bool begins = tokens != nullptr && cache_.length(piece.slot) == 0;
    if (begins && tokens->prefix) cache_.put_prefix(piece.slot, tokens->prefix);
    const int64_t more = begins && tokens->prompt ? tokens->count() : 0;
    adapters.add(static_cast<int64_t>(ids.size()), more + count,
                 mixes_[static_cast<size_t>(piece.slot)]);
    for (int64_t v = 0; v < more; ++v) ids.push_back(static_cast<int32_t>(-1 - v));
    ids.insert(ids.end(), piece.ids.begin(), piece.ids.end());
    parts.push_back({.slot = piece.slot, .count = more + count});
    CHECK(piece.logits >= 0 && piece.logits <= count);
    for (int64_t i = piece.logits; i > 0; --i)
      wanted.push_back(static_cast<int64_t>(ids.size()) - i);
  }
  if (ids.empty()) return {};
  const FittingThreads threads(parameters_, static_cast<int64_t>(ids.size()));
  CachedContext context(cache_, parts);
  context.set_adapters(std::move(adapters));
  const Tensor hidden = model_.hidden(ids, context);
  if (wanted.empty()) return {};
  logits_ = model_.logits(pick_rows(hidden, wanted));
  return {logits_.f32(), static_cast<size_t>(logits_.size())};
}

}  // namespace malssi
