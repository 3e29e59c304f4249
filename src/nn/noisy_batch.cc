#include "nn/noisy_batch.h"

#include <cmath>

#include "base/random.h"
#include "ops/residual.h"

namespace malssi {

Tensor NoisyBatch::noised(const Tensor& embedded) const {
  if (noise_.alpha == 0) return embedded;
  const int64_t D = embedded.dim(1);
  const std::span<const int32_t> begins = starts();
  Tensor noise = Tensor::empty(embedded.shape());
  Rng rng(noise_.seed, 0x6e6f697365);
  for (size_t s = 0; s + 1 < begins.size(); ++s) {
    const auto numbers = static_cast<double>((begins[s + 1] - begins[s]) * D);
    const double most = noise_.alpha / std::sqrt(numbers);
    for (int64_t i = begins[s] * D; i < begins[s + 1] * D; ++i)
      noise.f32()[i] = static_cast<float>(most * (2 * rng.uniform() - 1));
  }
  return residual_add(embedded, noise);
}

}  // namespace malssi
