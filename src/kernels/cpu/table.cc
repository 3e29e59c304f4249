// The table of vector kernels, and the choice between it and the reference.
#include "kernels/table.h"

#include <hwy/highway.h>
#include <hwy/targets.h>

#include "kernels/cpu/features.h"
#include "kernels/cpu/simd_kernels.h"

namespace malssi {
namespace {

KernelTable vector_table() {
  const CpuFeatures& cpu = cpu_features();
  if (!cpu.avx512) hwy::DisableTargets(HWY_AVX3 | HWY_AVX3_DL);
  if (!cpu.avx2) hwy::DisableTargets(HWY_AVX2);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  return KernelTable{
      .name = cpu.avx512 ? "avx512"
              : cpu.avx2 ? "avx2"
                         : "sse2",
      .f32_to_bf16 = simd::f32_to_bf16,
      .bf16_to_f32 = simd::bf16_to_f32,
      .add_into = simd::add_into,
      .residual_add = simd::residual_add,
      .residual_add_backward = simd::residual_add_backward,
      .sum_squares = simd::sum_squares,
      .rms_norm = simd::rms_norm,
      .rms_norm_backward = simd::rms_norm_backward,
      .layer_norm = simd::layer_norm,
      .layer_norm_backward = simd::layer_norm_backward,
      .head_norm = simd::head_norm,
      .head_norm_backward = simd::head_norm_backward,
      .swiglu = simd::swiglu,
      .swiglu_backward = simd::swiglu_backward,
      .geglu = simd::geglu,
      .geglu_backward = simd::geglu_backward,
      .relu = simd::relu,
      .scale = simd::scale,
      .softcap = simd::softcap,
      .softcap_backward = simd::softcap_backward,
      .gelu = simd::gelu,
      .multiply = simd::multiply,
      .add_bias = simd::add_bias,
      .bias_backward = simd::bias_backward,
      .embed = simd::embed,
      .embed_backward = simd::embed_backward,
      .scatter_rows = simd::scatter_rows,
      .scatter_rows_backward = simd::scatter_rows_backward,
      .rope = simd::rope,
      .cross_entropy = simd::cross_entropy,
      .attention = simd::attention,
      .attention_backward = simd::attention_backward,
      .attention_paged = simd::attention_paged,
      .adamw = simd::adamw,
  };
}

}  // namespace

const KernelTable& kernels() {
  static const KernelTable table = cpu_features().scalar ? scalar_kernels() : vector_table();
  return table;
}

}  // namespace malssi
