#include "nn/low_rank.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "ops/columns.h"
#include "ops/experts.h"
#include "ops/frozen.h"
#include "ops/linear.h"
#include "ops/rescale.h"
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

AdapterRows AdapterRows::spread(int64_t count) const {
  AdapterMix mix;
  for (const Use& use : uses_) mix.push_back({use.adapter, use.weights.front()});
  AdapterRows result(count, mix);
  result.dropout_seed_ = dropout_seed_;
  return result;
}

namespace {

// B (A x) of the rows in use, f32 [n, rows of B], each A x times its row's factor.
Tensor low_rank_product(const Tensor& x, const LowRank& term, const AdapterRows::Use& use,
                        std::span<const float> factors, uint64_t dropout_seed) {
  const bool is_all = static_cast<int64_t>(use.rows.size()) == x.dim(0);
  const Tensor own = is_all ? x : gather_rows(x, use.rows);
  const LinearOptions wide{.bias = {}, .out = DType::f32};
  const uint64_t seed = splitmix64(dropout_seed + splitmix64(term.stream));
  const bool drops = dropout_seed != 0 && term.dropout > 0;
  const Tensor inner =
      drops ? linear_of_dropped(own, term.a, {term.dropout, seed}) : linear(own, term.a, wide);
  return linear(scaled_rows(inner, factors), term.b, wide);
}

}  // namespace

Tensor add_low_rank(const Tensor& y, const Tensor& x, const LowRank& term,
                    const AdapterRows::Use& use, uint64_t dropout_seed) {
  std::vector<float> factors = use.weights;
  for (float& factor : factors) factor *= term.scale;
  const Tensor product = low_rank_product(x, term, use, factors, dropout_seed);
  return add_columns_in_place(y, product, use.rows, term.first_row);
}

Tensor rescale_with(const Tensor& y, const Tensor& x, const LowRank& term,
                    const AdapterRows::Use& use, const Tensor& bias, const Tensor& inverse_norms,
                    uint64_t dropout_seed) {
  const std::vector<float> factors(use.rows.size(), term.scale);
  return rescaled_in_place(y, low_rank_product(x, term, use, factors, dropout_seed),
                           {.magnitude = term.magnitude,
                            .inverse_norms = inverse_norms,
                            .bias = bias,
                            .first = term.first_row},
                           {use.rows, use.weights});
}

Tensor row_squares(const Tensor& w) {
  constexpr int64_t kSlab = 1024;  // rows widened at a time
  const int64_t K = w.dim(1);
  const Tensor squares = Tensor::empty({w.dim(0)});
  for (int64_t first = 0; first < w.dim(0); first += kSlab) {
    const int64_t count = std::min(kSlab, w.dim(0) - first);
    const Tensor slab = widened(w, first, count);
    for (int64_t j = 0; j < count; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < K; ++k) sum += double{slab.f32()[j * K + k]} * slab.f32()[j * K + k];
      squares.f32()[first + j] = static_cast<float>(sum);
    }
  }
  return squares;
}

// |W + sBA|^2 = |W|^2 + 2 s B (A W^T) + s^2 B (A A^T) B^T, so that W is only multiplied, by A's few rows.
Tensor inverse_norms_of(const Tensor& w, const LowRank& term) {
  const NoTape untaped;
  const LinearOptions wide{.bias = {}, .out = DType::f32};
  const int64_t R = term.a.dim(0), rows = term.b.dim(0);
  const Tensor cross = linear(term.a, w, wide);  // [R, rows]
  const Tensor a = term.a.to(DType::f32), b = term.b.to(DType::f32);
  const Tensor through = linear(b, linear(a, a));  // [rows, R]
  const Tensor inverse = Tensor::empty({rows});
  for (int64_t j = 0; j < rows; ++j) {
    double once = 0, twice = 0;
    for (int64_t r = 0; r < R; ++r) {
      once += double{b.f32()[j * R + r]} * cross.f32()[r * rows + j];
      twice += double{b.f32()[j * R + r]} * through.f32()[j * R + r];
    }
    const double s = term.scale, square = term.squares.f32()[j] + 2 * s * once + s * s * twice;
    constexpr double kLeast = 1e-30;  // a row of zeros stays one
    inverse.f32()[j] = static_cast<float>(1 / std::sqrt(std::max(square, kLeast)));
  }
  return inverse;
}

}  // namespace malssi
