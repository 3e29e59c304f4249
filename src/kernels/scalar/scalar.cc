// The reference kernels: the plainest code that is right. Sums run in double.
#include <cmath>
#include <cstring>

#include "kernels/scalar/access.h"

namespace malssi {
namespace scalar {
namespace {

void f32_to_bf16(const float* x, bf16* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = bf16(x[i]);
}

void bf16_to_f32(const bf16* x, float* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = static_cast<float>(x[i]);
}

void add_into(void* y, DType y_dtype, const void* x, DType x_dtype, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    write({y, y_dtype}, i, read({y, y_dtype}, i) + read({x, x_dtype}, i));
}

void residual_add(const float* x, ConstBuffer delta, float* y, int64_t n, Dropout dropout) {
  for (int64_t i = 0; i < n; ++i) y[i] = x[i] + dropped(read(delta, i), i, dropout);
}

void residual_add_backward(const float* dy, Buffer ddelta, float beta, int64_t n, Dropout dropout) {
  for (int64_t i = 0; i < n; ++i) {
    const float old = beta != 0 ? read(ddelta, i) : 0.0f;
    write(ddelta, i, old + dropped(dy[i], i, dropout));
  }
}

double sum_squares(const float* x, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]) * x[i];
  return sum;
}

void rms_norm(const float* x, const float* w, Buffer y, float* rstd, int64_t N, int64_t D,
              float eps) {
  for (int64_t n = 0; n < N; ++n) {
    const float* row = x + n * D;
    rstd[n] =
        static_cast<float>(1.0 / std::sqrt(sum_squares(row, D) / static_cast<double>(D) + eps));
    for (int64_t d = 0; d < D; ++d) write(y, n * D + d, row[d] * rstd[n] * w[d]);
  }
}

void rms_norm_backward(ConstBuffer dy, const float* x, const float* w, const float* rstd, float* dx,
                       float dx_beta, float* dw, float dw_beta, int64_t N, int64_t D) {
  if (dw != nullptr && dw_beta == 0) std::memset(dw, 0, static_cast<size_t>(D) * sizeof(float));
  for (int64_t n = 0; n < N; ++n) {
    double dot = 0;
    for (int64_t d = 0; d < D; ++d)
      dot += static_cast<double>(read(dy, n * D + d)) * w[d] * x[n * D + d];
    const double factor = dot * rstd[n] * rstd[n] / static_cast<double>(D);
    for (int64_t d = 0; d < D; ++d) {
      const int64_t i = n * D + d;
      const float g = read(dy, i);
      const auto value = static_cast<float>(rstd[n] * (g * w[d] - x[i] * factor));
      if (dx != nullptr) dx[i] = dx_beta * (dx_beta != 0 ? dx[i] : 0) + value;
      if (dw != nullptr) dw[d] += g * x[i] * rstd[n];
    }
  }
}

void layer_norm(const float* x, const float* w, const float* b, Buffer y, float* mean, float* rstd,
                int64_t N, int64_t D, float eps) {
  for (int64_t n = 0; n < N; ++n) {
    const float* row = x + n * D;
    double sum = 0;
    for (int64_t d = 0; d < D; ++d) sum += row[d];
    const double m = sum / static_cast<double>(D);
    double squares = 0;
    for (int64_t d = 0; d < D; ++d) squares += (row[d] - m) * (row[d] - m);
    mean[n] = static_cast<float>(m);
    rstd[n] = static_cast<float>(1.0 / std::sqrt(squares / static_cast<double>(D) + eps));
    for (int64_t d = 0; d < D; ++d)
      write(y, n * D + d, (row[d] - mean[n]) * rstd[n] * w[d] + (b != nullptr ? b[d] : 0.0f));
  }
}

void layer_norm_backward(ConstBuffer dy, const float* x, const float* w, const float* mean,
                         const float* rstd, float* dx, float dx_beta, float* dw, float dw_beta,
                         float* db, float db_beta, int64_t N, int64_t D) {
  if (dw != nullptr && dw_beta == 0) std::memset(dw, 0, static_cast<size_t>(D) * sizeof(float));
  if (db != nullptr && db_beta == 0) std::memset(db, 0, static_cast<size_t>(D) * sizeof(float));
  for (int64_t n = 0; n < N; ++n) {
    double sum = 0, dot = 0;
    for (int64_t d = 0; d < D; ++d) {
      const double g = static_cast<double>(read(dy, n * D + d)) * w[d];
      sum += g;
      dot += g * (x[n * D + d] - mean[n]) * rstd[n];
    }
    sum /= static_cast<double>(D);
    dot /= static_cast<double>(D);
    for (int64_t d = 0; d < D; ++d) {
      const int64_t i = n * D + d;
      const float normal = (x[i] - mean[n]) * rstd[n];
      const float g = read(dy, i);
      const auto value = static_cast<float>(rstd[n] * (g * w[d] - sum - normal * dot));
      if (dx != nullptr) dx[i] = value + (dx_beta != 0 ? dx[i] : 0);
      if (dw != nullptr) dw[d] += g * normal;
      if (db != nullptr) db[d] += g;
    }
  }
}

void swiglu(ConstBuffer gate_up, Buffer y, int64_t N, int64_t F) {
  for (int64_t n = 0; n < N; ++n) {
    for (int64_t f = 0; f < F; ++f) {
      const float gate = read(gate_up, n * 2 * F + f);
      write(y, n * F + f, gate / (1 + std::exp(-gate)) * read(gate_up, n * 2 * F + F + f));
    }
  }
}

void swiglu_backward(ConstBuffer dy, ConstBuffer gate_up, Buffer dgate_up, int64_t N, int64_t F) {
  for (int64_t n = 0; n < N; ++n) {
    for (int64_t f = 0; f < F; ++f) {
      const float gate = read(gate_up, n * 2 * F + f), up = read(gate_up, n * 2 * F + F + f),
                  g = read(dy, n * F + f);
      const float sigmoid = 1 / (1 + std::exp(-gate));
      write(dgate_up, n * 2 * F + f, g * up * sigmoid * (1 + gate * (1 - sigmoid)));
      write(dgate_up, n * 2 * F + F + f, g * gate * sigmoid);
    }
  }
}

constexpr double kRootTwoOverPi = 0.7978845608028654;
constexpr double kRootHalf = 0.7071067811865476;

void gelu(ConstBuffer x, Buffer y, Buffer slope, int64_t n, bool exact) {
  for (int64_t i = 0; i < n; ++i) {
    const double v = read(x, i);
    const double inner =
        exact ? std::erf(v * kRootHalf) : std::tanh(kRootTwoOverPi * (v + 0.044715 * v * v * v));
    // Of inner, halved.
    const double bend =
        exact ? std::exp(-0.5 * v * v) : (1 - inner * inner) * (1 + 3 * 0.044715 * v * v);
    write(y, i, static_cast<float>(0.5 * v * (1 + inner)));
    if (slope.data != nullptr)
      write(slope, i, static_cast<float>(0.5 * (1 + inner) + 0.5 * v * kRootTwoOverPi * bend));
  }
}

void multiply(ConstBuffer a, ConstBuffer b, Buffer y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) write(y, i, read(a, i) * read(b, i));
}

void add_bias(Buffer x, const float* b, int64_t N, int64_t D) {
  for (int64_t n = 0; n < N; ++n)
    for (int64_t d = 0; d < D; ++d) write(x, n * D + d, read(x, n * D + d) + b[d]);
}

void bias_backward(ConstBuffer dy, float* db, float beta, int64_t N, int64_t D) {
  for (int64_t d = 0; d < D; ++d) {
    double sum = beta != 0 ? db[d] : 0;
    for (int64_t n = 0; n < N; ++n) sum += read(dy, n * D + d);
    db[d] = static_cast<float>(sum);
  }
}

void embed(ConstBuffer table, const int32_t* ids, ConstBuffer position_table,
           const int32_t* positions, float* y, int64_t N, int64_t D) {
  for (int64_t n = 0; n < N; ++n) {
    for (int64_t d = 0; d < D; ++d) {
      const float place =
          position_table.data != nullptr ? read(position_table, positions[n] * D + d) : 0.0f;
      y[n * D + d] = read(table, ids[n] * D + d) + place;
    }
  }
}

void embed_backward(const float* dy, const int32_t* ids, float* dtable, int64_t N, int64_t D) {
  for (int64_t n = 0; n < N; ++n)
    for (int64_t d = 0; d < D; ++d) dtable[ids[n] * D + d] += dy[n * D + d];
}

void rope(Buffer x, const int32_t* positions, const float* cosines, const float* sines, int64_t N,
          int64_t heads, int64_t head_dim, int64_t row_width, bool back) {
  const int64_t half = head_dim / 2;
  for (int64_t n = 0; n < N; ++n) {
    for (int64_t h = 0; h < heads; ++h) {
      for (int64_t i = 0; i < half; ++i) {
        const int64_t low = n * row_width + h * head_dim + i;
        const float c = cosines[positions[n] * half + i];
        const float s = back ? -sines[positions[n] * half + i] : sines[positions[n] * half + i];
        const float a = read(x, low), b = read(x, low + half);
        write(x, low, a * c - b * s);
        write(x, low + half, b * c + a * s);
      }
    }
  }
}

void cross_entropy(const float* logits, const int32_t* targets, const float* weights, float scale,
                   float* loss, Buffer dlogits, int64_t N, int64_t V) {
  for (int64_t n = 0; n < N; ++n) {
    const float* row = logits + n * V;
    const float weight = targets[n] < 0 ? 0.0f : weights[n];
    float top = row[0];
    for (int64_t v = 1; v < V; ++v) top = std::max(top, row[v]);
    double sum = 0;
    for (int64_t v = 0; v < V; ++v) sum += std::exp(static_cast<double>(row[v]) - top);
    const double lse = top + std::log(sum);
    loss[n] = weight == 0 ? 0 : static_cast<float>(weight * (lse - row[targets[n]]));
    if (dlogits.data == nullptr) continue;
    for (int64_t v = 0; v < V; ++v) {
      const double p = std::exp(row[v] - lse) - (v == targets[n] ? 1 : 0);
      write(dlogits, n * V + v, weight == 0 ? 0.0f : static_cast<float>(scale * weight * p));
    }
  }
}

// bf16 by adding 16 random bits below it and cutting.
void write_rounded(Buffer buffer, int64_t i, float value, uint32_t random) {
  if (buffer.dtype == DType::f32) {
    static_cast<float*>(buffer.data)[i] = value;
    return;
  }
  const uint32_t word = std::bit_cast<uint32_t>(value) + random;
  static_cast<bf16*>(buffer.data)[i].bits = static_cast<uint16_t>(word >> 16);
}

void adamw(const AdamWStep& step, const float* gradient, MasterWeights weights, Buffer first,
           Buffer second, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const uint32_t random = dropout_hash(step.seed, static_cast<uint32_t>(i));
    const float g = gradient[i] * step.gradient_scale;
    const float m = step.beta1 * read(first, i) + (1 - step.beta1) * g;
    const float v = step.beta2 * read(second, i) + (1 - step.beta2) * g * g;
    write_rounded(first, i, m, random & 0xffffu);
    write_rounded(second, i, v, random >> 16);
    const float update = m / step.correction1 / (std::sqrt(v / step.correction2) + step.eps);
    float w = weights.whole ? weights.whole[i] : join({weights.high[i], weights.low[i]});
    w -= step.lr * (update + step.weight_decay * w);
    if (weights.whole) {
      weights.whole[i] = w;
    } else {
      const SplitFloat halves = split(w);
      weights.high[i] = halves.high;
      weights.low[i] = halves.low;
    }
  }
}

}  // namespace
}  // namespace scalar

const KernelTable& scalar_kernels() {
  static const KernelTable table{
      .name = "scalar",
      .f32_to_bf16 = scalar::f32_to_bf16,
      .bf16_to_f32 = scalar::bf16_to_f32,
      .add_into = scalar::add_into,
      .residual_add = scalar::residual_add,
      .residual_add_backward = scalar::residual_add_backward,
      .sum_squares = scalar::sum_squares,
      .rms_norm = scalar::rms_norm,
      .rms_norm_backward = scalar::rms_norm_backward,
      .layer_norm = scalar::layer_norm,
      .layer_norm_backward = scalar::layer_norm_backward,
      .head_norm = scalar::head_norm,
      .head_norm_backward = scalar::head_norm_backward,
      .swiglu = scalar::swiglu,
      .swiglu_backward = scalar::swiglu_backward,
      .geglu = scalar::geglu,
      .geglu_backward = scalar::geglu_backward,
      .relu = scalar::relu,
      .scale = scalar::scale,
      .softcap = scalar::softcap,
      .softcap_backward = scalar::softcap_backward,
      .gelu = scalar::gelu,
      .multiply = scalar::multiply,
      .add_bias = scalar::add_bias,
      .bias_backward = scalar::bias_backward,
      .embed = scalar::embed,
      .embed_backward = scalar::embed_backward,
      .scatter_rows = scalar::scatter_rows,
      .scatter_rows_backward = scalar::scatter_rows_backward,
      .rope = scalar::rope,
      .cross_entropy = scalar::cross_entropy,
      .attention = scalar::attention,
      .attention_backward = scalar::attention_backward,
      .attention_paged = scalar::attention_paged,
      .adamw = scalar::adamw,
  };
  return table;
}

}  // namespace malssi
