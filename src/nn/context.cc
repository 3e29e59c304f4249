#include "nn/context.h"

#include "base/random.h"
#include "ops/experts.h"
#include "ops/virtual_rows.h"

namespace malssi {

CausalBatch::CausalBatch(std::vector<int32_t> starts, uint64_t dropout_seed)
    : starts_(std::move(starts)), dropout_seed_(dropout_seed) {
  REQUIRE(starts_.size() >= 2 && starts_.front() == 0,
          "batch: sequence boundaries must begin with 0 and end with the count");
  for (size_t s = 0; s + 1 < starts_.size(); ++s)
    REQUIRE(starts_[s] < starts_[s + 1], "batch: sequence ", s, " is empty");
  begin_at(0);
}

void CausalBatch::begin_at(int64_t position) {
  positions_.clear();
  positions_.reserve(static_cast<size_t>(starts_.back()));
  for (size_t s = 0; s + 1 < starts_.size(); ++s)
    for (int32_t i = starts_[s]; i < starts_[s + 1]; ++i)
      positions_.push_back(static_cast<int32_t>(position) + i - starts_[s]);
}

Tensor CausalBatch::attend(int64_t layer, const Tensor& qkv, const AttentionSpec& spec) {
  const Tensor rotated =
      spec.rope == nullptr
          ? qkv
          : rope_in_place(qkv, positions_, *spec.rope, spec.heads.heads + spec.heads.kv_heads);
  const float rate = dropout_seed_ == 0 ? 0 : spec.dropout;
  const uint64_t seed = splitmix64(dropout_seed_ + 977 * static_cast<uint64_t>(layer));
  const AttentionOptions options{
      .dropout = {rate, seed}, .mask = spec.mask, .window = spec.window, .softcap = spec.softcap};
  if (spec.prefix == nullptr) return attention(rotated, starts_, spec.heads, options);
  const auto V = static_cast<int32_t>(spec.prefix->dim(0));
  std::vector<int32_t> longer = starts_,
                       rows;  // sequences with the prefix, and where their own rows lie
  for (size_t s = 0; s < starts_.size(); ++s) longer[s] += static_cast<int32_t>(s) * V;
  for (size_t s = 0; s + 1 < starts_.size(); ++s)
    for (int32_t row = longer[s] + V; row < longer[s + 1]; ++row) rows.push_back(row);
  const Tensor whole = with_prefix(rotated, *spec.prefix, layer, starts_, spec.heads);
  return gather_rows(attention(whole, longer, spec.heads, options), rows);
}

}  // namespace malssi
