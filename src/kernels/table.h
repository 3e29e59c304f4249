// Every kernel: compute on raw memory, no ownership. kernels() is the table for this processor,
// scalar_kernels() the plain reference that a test compares it with, entry by entry. Matrices are
// dense and row-major; sizes may be any (0 included). A Buffer is f32 or bf16 memory; arithmetic is
// in f32. `beta` of an output: 0 overwrites, 1 adds.
#pragma once

#include <cstdint>
#include <string_view>

#include "kernels/dtype.h"
#include "kernels/paged.h"

namespace malssi {

struct Buffer {
  void* data = nullptr;
  DType dtype = DType::f32;
};
struct ConstBuffer {
  const void* data = nullptr;
  DType dtype = DType::f32;
  ConstBuffer() = default;
  ConstBuffer(const void* d, DType t) : data(d), dtype(t) {}
  ConstBuffer(Buffer b) : data(b.data), dtype(b.dtype) {}  // NOLINT: a Buffer is readable
};

// Dropout of element i keeps it, divided by 1 - rate, where dropout_keeps(seed, i, rate). rate 0:
// everything is kept.
struct Dropout {
  float rate = 0;
  uint64_t seed = 0;
};

// What a token sees of its own sequence: itself and what came before, or everything.
enum class AttentionMask { causal, whole };

// Sizes and seeds of an attention layer over whole sequences.
struct AttentionProblem {
  int64_t heads = 0, kv_heads = 0, head_dim = 0;
  const int32_t* starts = nullptr;  // [sequences + 1]
  int64_t sequences = 0;
  float scale = 1;
  Dropout dropout;
  DType dtype = DType::f32;  // of qkv and out
  AttentionMask mask = AttentionMask::causal;
  int64_t window = 0;  // causal: a token sees itself and the window - 1 before it; 0: all
  float softcap = 0;   // scores become cap tanh(score / cap); 0: as they are

  // The keys begin .. end - 1 that query t of a sequence sees.
  int64_t first_seen(int64_t t) const { return window > 0 && t >= window ? t - window + 1 : 0; }
  int64_t end_seen(int64_t t, int64_t length) const {
    return mask == AttentionMask::causal ? t + 1 : length;
  }
};

// Heads side by side in rows: head h of row n begins at element n * row_width + h * head_dim.
struct HeadRows {
  int64_t rows = 0, heads = 0, head_dim = 0, row_width = 0;
};

struct AdamWStep {
  float lr, beta1, beta2, eps, weight_decay;
  float correction1, correction2;  // 1 - beta^t
  float gradient_scale;            // clipping
  uint32_t seed = 0;               // of the rounding of moments in bf16
};

// Master weights: f32, or split in halves (see SplitFloat), of which the high ones are the model's.
struct MasterWeights {
  float* whole = nullptr;
  bf16* high = nullptr;
  int16_t* low = nullptr;
};

struct KernelTable {
  std::string_view name;  // "scalar", "avx2", ...

  // Conversions and sums.
  void (*f32_to_bf16)(const float* x, bf16* y, int64_t n);
  void (*bf16_to_f32)(const bf16* x, float* y, int64_t n);
  void (*add_into)(void* y, DType y_dtype, const void* x, DType x_dtype, int64_t n);  // y += x
  // y = x + dropout(delta), x and y f32; and its backward ddelta = beta ddelta + dropout(dy).
  void (*residual_add)(const float* x, ConstBuffer delta, float* y, int64_t n, Dropout dropout);
  void (*residual_add_backward)(const float* dy, Buffer ddelta, float beta, int64_t n,
                                Dropout dropout);
  double (*sum_squares)(const float* x, int64_t n);

  // Norms over rows [N, D]; y may be bf16. rstd, mean [N].
  void (*rms_norm)(const float* x, const float* w, Buffer y, float* rstd, int64_t N, int64_t D,
                   float eps);
  void (*rms_norm_backward)(ConstBuffer dy, const float* x, const float* w, const float* rstd,
                            float* dx, float dx_beta, float* dw, float dw_beta, int64_t N,
                            int64_t D);
  void (*layer_norm)(const float* x, const float* w, const float* b, Buffer y, float* mean,
                     float* rstd, int64_t N, int64_t D,
                     float eps);  // b may be null
  void (*layer_norm_backward)(ConstBuffer dy, const float* x, const float* w, const float* mean,
                              const float* rstd, float* dx, float dx_beta, float* dw, float dw_beta,
                              float* db, float db_beta, int64_t N, int64_t D);

  // An RMS norm of every head alone, w [head_dim]; rstd [rows, heads]. Data points at the first head.
  void (*head_norm)(ConstBuffer x, const float* w, Buffer y, float* rstd, const HeadRows& rows,
                    float eps);
  void (*head_norm_backward)(ConstBuffer dy, ConstBuffer x, const float* w, const float* rstd,
                             Buffer dx, float* dw, float dw_beta, const HeadRows& rows);

  // gate_up [N, 2F] (gates, then ups) -> y [N, F] = silu(gate) * up; and its backward into dgate_up
  // [N, 2F].
  void (*swiglu)(ConstBuffer gate_up, Buffer y, int64_t N, int64_t F);
  void (*swiglu_backward)(ConstBuffer dy, ConstBuffer gate_up, Buffer dgate_up, int64_t N,
                          int64_t F);
  // The same with gelu(gate), the form with tanh.
  void (*geglu)(ConstBuffer gate_up, Buffer y, int64_t N, int64_t F);
  void (*geglu_backward)(ConstBuffer dy, ConstBuffer gate_up, Buffer dgate_up, int64_t N,
                         int64_t F);
  // y = max(x, 0); slope = its derivative, unless its data is null.
  void (*relu)(ConstBuffer x, Buffer y, Buffer slope, int64_t n);
  // y = factor x.
  void (*scale)(const float* x, float* y, float factor, int64_t n);
  // x = cap tanh(x / cap), in place; and dx = dy (1 - (x / cap)^2) for the x that came out, in place of dy.
  void (*softcap)(float* x, float cap, int64_t n);
  void (*softcap_backward)(const float* x, Buffer dy, float cap, int64_t n);
  // y = gelu(x), exact (erf) or with tanh; slope = gelu'(x), unless its data is null.
  void (*gelu)(ConstBuffer x, Buffer y, Buffer slope, int64_t n, bool exact);
  // y = a b, element by element.
  void (*multiply)(ConstBuffer a, ConstBuffer b, Buffer y, int64_t n);
  // x [N, D] += b [D]; db [D] = beta db + sum over rows of dy.
  void (*add_bias)(Buffer x, const float* b, int64_t N, int64_t D);
  void (*bias_backward)(ConstBuffer dy, float* db, float beta, int64_t N, int64_t D);

  // table [V, D]: y[n] = table[ids[n]] (+ position_table[positions[n]] when given), y f32.
  void (*embed)(ConstBuffer table, const int32_t* ids, ConstBuffer position_table,
                const int32_t* positions, float* y, int64_t N, int64_t D);
  // dtable[ids[n]] += dy[n], in the order of n.
  void (*embed_backward)(const float* dy, const int32_t* ids, float* dtable, int64_t N, int64_t D);
  // y[rows[i]] += weights[i] x[i], y f32 [.., D], for i of 0..n in order, no row twice; and its backward: dx[i] = weights[i]
  // dy[rows[i]], dweights[i] = x[i] . dy[rows[i]] (null: not wanted).
  void (*scatter_rows)(ConstBuffer x, const int32_t* rows, const float* weights, float* y,
                       int64_t n, int64_t D);
  void (*scatter_rows_backward)(const float* dy, ConstBuffer x, const int32_t* rows,
                                const float* weights, Buffer dx, float* dweights, int64_t n,
                                int64_t D);
  // Rotates pairs (i, i + head_dim / 2) of each of the first `heads` heads of every row by its
  // position's angle, or back. x [N, row_width]; cosines, sines [positions, head_dim / 2].
  void (*rope)(Buffer x, const int32_t* positions, const float* cosines, const float* sines,
               int64_t N, int64_t heads, int64_t head_dim, int64_t row_width, bool back);

  // logits [N, V] f32; targets < 0 or weight 0: not scored. loss[n] = weight * -log p(target);
  // dlogits = scale * weight * (p - onehot), may be in place of logits when f32; null data: loss
  // only.
  void (*cross_entropy)(const float* logits, const int32_t* targets, const float* weights,
                        float scale, float* loss, Buffer dlogits, int64_t N, int64_t V);

  // qkv [N, (heads + 2 kv_heads) head_dim] -> out [N, heads head_dim], lse [heads, N]. Dao 2023
  // saves the same.
  void (*attention)(const AttentionProblem& problem, const void* qkv, void* out, float* lse);
  void (*attention_backward)(const AttentionProblem& problem, const void* qkv, const void* out,
                             const void* dout, const float* lse, void* dqkv);
  // The pieces' queries against a cache that holds their own keys and values already: q rows of query.row_width elements, f32
  // or bf16 -> out [rows, heads head_dim] of the same dtype.
  void (*attention_paged)(const PagedLayer& layer, const PagedQuery& query,
                          std::span<const PagedPiece> pieces, ConstBuffer q, Buffer out);

  // Kingma, Ba 2015; Loshchilov, Hutter 2019. Both moments f32 or both bf16; bf16 rounds up or down
  // at random (by dropout_hash), or the slow second moment would stand still.
  void (*adamw)(const AdamWStep& step, const float* gradient, MasterWeights weights, Buffer first,
                Buffer second, int64_t n);
};

// The fastest table this processor has; the environment's MALSSI_SIMD caps it, see cpu/features.h
// (first use decides).
const KernelTable& kernels();
const KernelTable& scalar_kernels();

// Stateless: the same on every table. Keeps with probability 1 - rate.
inline uint32_t dropout_hash(uint32_t seed, uint32_t i) {
  uint32_t x = i * 0x9e3779b1u ^ seed;
  x ^= x >> 16;
  x *= 0x7feb352du;
  x ^= x >> 15;
  x *= 0x846ca68bu;
  x ^= x >> 16;
  return x;
}
inline uint32_t dropout_seed32(uint64_t seed) { return static_cast<uint32_t>(seed ^ (seed >> 32)); }
// Kept where the hash's upper 24 bits reach this.
inline uint32_t dropout_threshold(float rate) { return static_cast<uint32_t>(rate * 16777216.0f); }
inline bool dropout_keeps(uint64_t seed, int64_t i, float rate) {
  return (dropout_hash(dropout_seed32(seed), static_cast<uint32_t>(i)) >> 8) >=
         dropout_threshold(rate);
}

}  // namespace malssi
