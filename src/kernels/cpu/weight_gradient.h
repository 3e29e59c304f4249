// The product of a linear layer's weight gradient, c = a^T b, in bf16 with AVX-512's dot products of pairs. Both operands
// are summed over their rows, so pairs of rows interleaved are all the packing it needs; oneDNN transposes instead and
// reaches less (bench/train_speed.py).
#pragma once

#include <cstdint>

#include "kernels/dtype.h"

namespace malssi {

// c [M, N] = a^T b, or c += a^T b where `adds`; a [K, M] and b [K, N] dense. The sum over K of one element of c is made in
// one order, whatever the threads. Only where cpu_features().avx512_bf16.
void weight_gradient_bf16(const bf16* a, const bf16* b, float* c, int64_t M, int64_t N, int64_t K,
                          bool adds);

}  // namespace malssi
