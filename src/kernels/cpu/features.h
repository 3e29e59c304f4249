// What this processor can do, lowered by the environment's MALSSI_SIMD = scalar, sse2, avx2,
// avxvnni, avx512, avx512bf16 or amx (the default: all there is).
#pragma once

namespace malssi {

struct CpuFeatures {
  bool scalar = false;  // use the reference kernels
  bool avx2 = false;
  bool avx_vnni = false;     // dot products of bytes, without AVX-512
  bool avx512 = false;       // F, BW, CD, DQ, VL
  bool avx512_bf16 = false;  // native bf16 dot products
  bool avx512_vnni = false;
  bool amx_bf16 = false;  // tiles, granted by the operating system
};

// Decided at the first call. Throws Error for an unknown MALSSI_SIMD.
const CpuFeatures& cpu_features();

}  // namespace malssi
