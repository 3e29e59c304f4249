// Reading and writing Buffers one number at a time, for the reference kernels.
#pragma once

#include "kernels/table.h"

namespace malssi::scalar {

inline float read(ConstBuffer x, int64_t i) {
  return x.dtype == DType::f32 ? static_cast<const float*>(x.data)[i]
                               : static_cast<float>(static_cast<const bf16*>(x.data)[i]);
}
inline void write(Buffer y, int64_t i, float value) {
  if (y.dtype == DType::f32) {
    static_cast<float*>(y.data)[i] = value;
  } else {
    static_cast<bf16*>(y.data)[i] = bf16(value);
  }
}
inline float dropped(float value, int64_t i, const Dropout& dropout) {
  if (dropout.rate <= 0) return value;
  return dropout_keeps(dropout.seed, i, dropout.rate) ? value / (1 - dropout.rate) : 0.0f;
}

void head_norm(ConstBuffer x, const float* w, Buffer y, float* rstd, const HeadRows& rows,
               float eps);
void head_norm_backward(ConstBuffer dy, ConstBuffer x, const float* w, const float* rstd, Buffer dx,
                        float* dw, float dw_beta, const HeadRows& rows);
void geglu(ConstBuffer gate_up, Buffer y, int64_t N, int64_t F);
void geglu_backward(ConstBuffer dy, ConstBuffer gate_up, Buffer dgate_up, int64_t N, int64_t F);
void relu(ConstBuffer x, Buffer y, Buffer slope, int64_t n);
void scale(const float* x, float* y, float factor, int64_t n);
void softcap(float* x, float cap, int64_t n);
void softcap_backward(const float* x, Buffer dy, float cap, int64_t n);
void scatter_rows(ConstBuffer x, const int32_t* rows, const float* weights, float* y, int64_t n,
                  int64_t D);
void scatter_rows_backward(const float* dy, ConstBuffer x, const int32_t* rows,
                           const float* weights, Buffer dx, float* dweights, int64_t n, int64_t D);

void attention(const AttentionProblem& problem, const void* qkv, void* out, float* lse);
void attention_backward(const AttentionProblem& problem, const void* qkv, const void* out,
                        const void* dout, const float* lse, void* dqkv);
void attention_paged(const PagedLayer& layer, const PagedQuery& query,
                     std::span<const PagedPiece> pieces, ConstBuffer q, Buffer out);

}  // namespace malssi::scalar
