// Low-rank adapters (LoRA: Hu et al. 2021): y += weight scale B (A x), on those rows of a pass that use them. A layer's own
// weights stay untouched, so that sequences with different adapters are computed in one pass and switching costs nothing. A
// row's result does not depend on what its neighbours use, to the bit.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/tensor.h"

namespace malssi {

// One adapter's share of one linear layer.
struct LowRank {
  int64_t adapter = 0;    // its number in the model
  Tensor a;               // [rank, inputs]
  Tensor b;               // [rows, rank]
  float scale = 1;        // alpha / rank, usually
  int64_t first_row = 0;  // where b's rows lie among the layer's outputs
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
  bool empty() const { return uses_.empty(); }

 private:
  std::vector<Use> uses_;
};

// y [N, outputs] with the term added IN PLACE, x [N, inputs]: y itself must not be used afterwards, only the result.
Tensor add_low_rank(const Tensor& y, const Tensor& x, const LowRank& term,
                    const AdapterRows::Use& use);

}  // namespace malssi
