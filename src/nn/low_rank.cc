#include "nn/low_rank.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "ops/add_product.h"
#include "ops/columns.h"
#include "ops/experts.h"
#include "ops/linear.h"
#include "ops/residual.h"
#include "tensor/tape.h"

namespace malssi {

AdapterMix checked_mix(AdapterMix mix, int64_t count) {
  for (const AdapterUse& use : mix) {
    REQUIRE(use.adapter >= 0 && use.adapter < count, "there is no adapter ", use.adapter,
            "; the model has ", count);
    REQUIRE(std::isfinite(use.weight), "adapter ", use.adapter, ": its weight is ", use.weight,
            "; expected a finite number");
  }
  std::stable_sort(mix.begin(), mix.end(),
                   [](const AdapterUse& a, const AdapterUse& b) { return a.adapter < b.adapter; });
  AdapterMix sums;
  for (const AdapterUse& use : mix) {
    if (!sums.empty() && sums.back().adapter == use.adapter)
      sums.back().weight += use.weight;
    else
      sums.push_back(use);
  }
  std::erase_if(sums, [](const AdapterUse& use) { return use.weight == 0; });
  return sums;
}

void AdapterRows::add(int64_t first, int64_t count, const AdapterMix& mix) {
  for (const AdapterUse& use : mix) {
    auto found = std::find_if(uses_.begin(), uses_.end(),
                              [&](const Use& known) { return known.adapter == use.adapter; });
    if (found == uses_.end()) found = uses_.insert(found, Use{use.adapter, {}, {}});
    CHECK(found->rows.empty() || found->rows.back() < first, "row ", first, " is there already");
    for (int64_t row = first; row < first + count; ++row)
      found->rows.push_back(static_cast<int32_t>(row));
    found->weights.insert(found->weights.end(), static_cast<size_t>(count), use.weight);
  }
}

const AdapterRows::Use* AdapterRows::find(int64_t adapter) const {
  for (const Use& use : uses_)
    if (use.adapter == adapter) return &use;
  return nullptr;
}

AdapterRows AdapterRows::gathered(std::span<const int32_t> rows) const {
  AdapterRows result;
  result.dropout_seed_ = dropout_seed_;
  for (const Use& use : uses_) {
    Use some{use.adapter, {}, {}};
    size_t at = 0;
    for (size_t i = 0; i < use.rows.size(); ++i) {
      while (at < rows.size() && rows[at] < use.rows[i]) ++at;
      if (at == rows.size()) break;
      if (rows[at] != use.rows[i]) continue;
      some.rows.push_back(static_cast<int32_t>(at));
      some.weights.push_back(use.weights[i]);
    }
    if (!some.rows.empty()) result.uses_.push_back(std::move(some));
  }
  return result;
}

Tensor add_low_rank(const Tensor& y, const Tensor& x, const LowRank& term,
                    const AdapterRows::Use& use, uint64_t dropout_seed) {
  const bool is_all = static_cast<int64_t>(use.rows.size()) == x.dim(0);
  Tensor own = is_all ? x : gather_rows(x, use.rows);
  if (dropout_seed != 0 && term.dropout > 0)
    own = dropout(own, {term.dropout, splitmix64(dropout_seed + splitmix64(term.stream))});
  std::vector<float> factors = use.weights;
  for (float& factor : factors) factor *= term.scale;
  const LinearOptions wide{.bias = {}, .out = DType::f32};
  const Tensor inner = scaled_rows(linear(own, term.a, wide), factors);
  if (is_all && Tape::current() != nullptr && term.b.dtype() == y.dtype())
    return add_product_in_place(y, inner, term.b, term.first_row);
  return add_columns_in_place(y, linear(inner, term.b, wide), use.rows, term.first_row);
}

}  // namespace malssi
