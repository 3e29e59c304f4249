// Low-rank adapters (LoRA: Hu et al. 2021): y += weight scale B (A x), on those rows of a pass that use them. A layer's own
// weights stay untouched, so that sequences with different adapters are computed in one pass and switching costs nothing. A
// row's result does not depend on what its neighbours use, to the bit. With a magnitude (DoRA: Liu et al. 2024) the rows of W +
// scale B A are brought to that length: y becomes magnitude / |W + scale B A| times itself with the term, its bias aside.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/tensor.h"

namespace malssi {

// One adapter's share of one linear layer.
struct LowRank {
  int64_t adapter = 0;        // its number in the model
  Tensor a;                   // [rank, inputs]
  Tensor b;                   // [rows, rank]
  float scale = 1;            // alpha / rank, usually
  int64_t first_row = 0;      // where b's rows lie among the layer's outputs
  float dropout = 0;          // part of x dropped for it in a pass with a seed
  uint64_t stream = 0;        // tells its dropout from that of others
  Tensor magnitude = {};      // f32 [rows]; undefined: none
  Tensor squares = {};        // f32 [rows]: |W|^2 of each row, where there is a magnitude
  Tensor inverse_norms = {};  // f32 [rows]: 1 / |W + scale B A|, where A and B are not trained
};

struct AdapterUse {
  int64_t adapter = 0;  // its number in the model
  float weight = 1;
  bool operator==(const AdapterUse&) const = default;
};
// The adapters that act together on a sequence.
using AdapterMix = std::vector<AdapterUse>;

// Sorted, each adapter once (weights of the same add up), those of weight 0 left out: so that mixes which act alike are equal.
// Throws Error for a weight that is not finite, and for an adapter that is none of the model's 0 .. count - 1.
AdapterMix checked_mix(AdapterMix mix, int64_t count);

// Which rows of a pass use which adapters.
class AdapterRows {
 public:
  struct Use {
    int64_t adapter = 0;
    std::vector<int32_t> rows;   // ascending
    std::vector<float> weights;  // of each
  };

  AdapterRows() = default;
  // All rows of a pass use the same.
  AdapterRows(int64_t count, const AdapterMix& mix) { add(0, count, mix); }

  // Rows first .. first + count - 1 use this mix (see checked_mix()). They come after those that were added before.
  void add(int64_t first, int64_t count, const AdapterMix& mix);
  // Null where no row uses it.
  const Use* find(int64_t adapter) const;
  // The same for these rows alone, ascending, put side by side.
  AdapterRows gathered(std::span<const int32_t> rows) const;
  // The same adapters on all rows of a pass of `count`, each with the weight of its first row.
  AdapterRows spread(int64_t count) const;
  bool empty() const { return uses_.empty(); }

  // Seed of this pass's dropout in front of the adapters; 0 (the default) switches it off.
  uint64_t dropout_seed() const { return dropout_seed_; }
  void set_dropout_seed(uint64_t seed) { dropout_seed_ = seed; }

 private:
  std::vector<Use> uses_;
  uint64_t dropout_seed_ = 0;
};

// y [N, outputs] with the term added IN PLACE, x [N, inputs]: y itself must not be used afterwards, only the result.
// dropout_seed: see AdapterRows.
Tensor add_low_rank(const Tensor& y, const Tensor& x, const LowRank& term,
                    const AdapterRows::Use& use, uint64_t dropout_seed = 0);

// The same where the term has a magnitude. y = W x + bias, and inverse_norms those of W + scale B A.
Tensor rescale_with(const Tensor& y, const Tensor& x, const LowRank& term,
                    const AdapterRows::Use& use, const Tensor& bias, const Tensor& inverse_norms,
                    uint64_t dropout_seed = 0);

// 1 / |W + scale B A| of each row, without a gradient. w [rows, inputs], of any dtype and layout; squares: |W|^2 of each row.
Tensor inverse_norms_of(const Tensor& w, const LowRank& term);
// |W|^2 of each row, f32 [rows].
Tensor row_squares(const Tensor& w);

}  // namespace malssi
