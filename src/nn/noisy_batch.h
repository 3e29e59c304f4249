// A training batch whose embeddings are disturbed: NEFTune (Jain et al. 2023). Each number of a sequence of L tokens gets noise, even
// in -alpha / sqrt(L width) .. alpha / sqrt(L width).
#pragma once

#include "nn/context.h"

namespace malssi {

struct EmbeddingNoise {
  double alpha = 0;  // 0: none
  uint64_t seed = 0;
};

class NoisyBatch : public CausalBatch {
 public:
  NoisyBatch(std::vector<int32_t> starts, uint64_t dropout_seed, const EmbeddingNoise& noise)
      : CausalBatch(std::move(starts), dropout_seed), noise_(noise) {}

  Tensor noised(const Tensor& embedded) const override;

 private:
  EmbeddingNoise noise_;
};

}  // namespace malssi
