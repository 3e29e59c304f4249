// The vector kernels behind kernels(); table.h says what each does. Each dispatches on the
// processor by itself.
#pragma once

#include "kernels/table.h"

namespace malssi::simd {

void f32_to_bf16(const float* x, bf16* y, int64_t n);
void bf16_to_f32(const bf16* x, float* y, int64_t n);
void add_into(void* y, DType y_dtype, const void* x, DType x_dtype, int64_t n);
void residual_add(const float* x, ConstBuffer delta, float* y, int64_t n, Dropout dropout);
void residual_add_backward(const float* dy, Buffer ddelta, float beta, int64_t n, Dropout dropout);
double sum_squares(const float* x, int64_t n);
void add_bias(Buffer x, const float* b, int64_t N, int64_t D);
void bias_backward(ConstBuffer dy, float* db, float beta, int64_t N, int64_t D);
void adamw(const AdamWStep& step, const float* gradient, MasterWeights weights, Buffer first,
           Buffer second, int64_t n);

void rms_norm(const float* x, const float* w, Buffer y, float* rstd, int64_t N, int64_t D,
              float eps);
void rms_norm_backward(ConstBuffer dy, const float* x, const float* w, const float* rstd, float* dx,
                       float dx_beta, float* dw, float dw_beta, int64_t N, int64_t D);
void layer_norm(const float* x, const float* w, const float* b, Buffer y, float* mean, float* rstd,
                int64_t N, int64_t D, float eps);
void layer_norm_backward(ConstBuffer dy, const float* x, const float* w, const float* mean,
                         const float* rstd, float* dx, float dx_beta, float* dw, float dw_beta,
                         float* db, float db_beta, int64_t N, int64_t D);

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

void swiglu(ConstBuffer gate_up, Buffer y, int64_t N, int64_t F);
void swiglu_backward(ConstBuffer dy, ConstBuffer gate_up, Buffer dgate_up, int64_t N, int64_t F);
void gelu(ConstBuffer x, Buffer y, Buffer slope, int64_t n, bool exact);
void multiply(ConstBuffer a, ConstBuffer b, Buffer y, int64_t n);

void embed(ConstBuffer table, const int32_t* ids, ConstBuffer position_table,
           const int32_t* positions, float* y, int64_t N, int64_t D);
void embed_backward(const float* dy, const int32_t* ids, float* dtable, int64_t N, int64_t D);
void rope(Buffer x, const int32_t* positions, const float* cosines, const float* sines, int64_t N,
          int64_t heads, int64_t head_dim, int64_t row_width, bool back);
void cross_entropy(const float* logits, const int32_t* targets, const float* weights, float scale,
                   float* loss, Buffer dlogits, int64_t N, int64_t V);

void attention(const AttentionProblem& problem, const void* qkv, void* out, float* lse);
void attention_backward(const AttentionProblem& problem, const void* qkv, const void* out,
                        const void* dout, const float* lse, void* dqkv);
void attention_paged(const PagedLayer& layer, const PagedQuery& query,
                     std::span<const PagedPiece> pieces, ConstBuffer q, Buffer out);

}  // namespace malssi::simd
