// Norms over the last axis. Statistics in f32; the result in the dtype that the products after it want.
#pragma once

#include "tensor/tensor.h"

namespace malssi {

// x f32 [N, D], w f32 [D] -> [N, D]. Zhang, Sennrich 2019.
Tensor rms_norm(const Tensor& x, const Tensor& w, float eps, DType out = DType::f32);
// x f32 [N, D], w f32 [D], b f32 [D] or undefined -> [N, D]. Ba et al. 2016.
Tensor layer_norm(const Tensor& x, const Tensor& w, const Tensor& b, float eps,
                  DType out = DType::f32);

// qkv [N, (heads + 2 kv_heads) head_dim], f32 or bf16: an RMS norm of every query with q_weight [head_dim] and of every key with
// k_weight; values stay. Henry et al. 2020.
Tensor head_norm(const Tensor& qkv, const Tensor& q_weight, const Tensor& k_weight, int64_t heads,
                 int64_t kv_heads, float eps);

}  // namespace malssi
