// Norms over the last axis. Statistics in f32; the result in the dtype that the products after it want.
#pragma once

#include "tensor/tensor.h"

namespace malssi {

// x f32 [N, D], w f32 [D] -> [N, D]. Zhang, Sennrich 2019.
Tensor rms_norm(const Tensor& x, const Tensor& w, float eps, DType out = DType::f32);
// x f32 [N, D], w f32 [D], b f32 [D] or undefined -> [N, D]. Ba et al. 2016.
Tensor layer_norm(const Tensor& x, const Tensor& w, const Tensor& b, float eps,
                  DType out = DType::f32);

}  // namespace malssi
