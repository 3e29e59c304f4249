// Matrix products, through oneDNN: the only file that names it is cpu/gemm.cc.
#pragma once

#include <cstdint>

#include "kernels/table.h"

namespace malssi {

struct GemmOptions {
  bool transpose_a = false;  // a is stored [K, M]
  bool transpose_b = false;  // b is stored [N, K]
  float beta = 0;            // c = beta c + a b; 0 or 1
  int64_t row_a = 0;         // numbers from one stored row of a to the next; 0: they are dense
  int64_t row_c = 0;         // of c
};

// c [M, N] = a [M, K] b [K, N] + beta c. a and b both f32 or both bf16 (accumulated in f32); c f32
// or bf16. Primitives are cached by shape, so keep shapes few. Inside a parallel
// region it runs on the calling thread.
void gemm(ConstBuffer a, ConstBuffer b, Buffer c, int64_t M, int64_t N, int64_t K,
          const GemmOptions& options = {});

// True where the processor multiplies bf16 natively (and MALSSI_SIMD does not forbid it).
bool has_native_bf16();
// What the matrix products run on: "AMX", "AVX-512 bf16", "AVX-512", "AVX2", ...
const char* gemm_instruction_set();

}  // namespace malssi
