// Reference kernels of what some families have: norms of single heads, other gates, soft caps, rows of experts.
#include <cmath>
#include <cstring>

#include "kernels/scalar/access.h"

namespace malssi::scalar {
namespace {

constexpr double kRootTwoOverPi = 0.7978845608028654;

// gelu(v) by tanh, and its derivative.
double gelu_tanh(double v, double* slope) {
  const double t = std::tanh(kRootTwoOverPi * (v + 0.044715 * v * v * v));
  *slope = 0.5 * (1 + t) + 0.5 * v * (1 - t * t) * kRootTwoOverPi * (1 + 3 * 0.044715 * v * v);
  return 0.5 * v * (1 + t);
}

template <class Body>
void for_each_head(const HeadRows& r, Body&& body) {
  for (int64_t n = 0; n < r.rows; ++n)
    for (int64_t h = 0; h < r.heads; ++h) body(n * r.heads + h, n * r.row_width + h * r.head_dim);
}

}  // namespace

void head_norm(ConstBuffer x, const float* w, Buffer y, float* rstd, const HeadRows& rows,
               float eps) {
  for_each_head(rows, [&](int64_t i, int64_t at) {
    double squares = 0;
    for (int64_t d = 0; d < rows.head_dim; ++d)
      squares += static_cast<double>(read(x, at + d)) * read(x, at + d);
    rstd[i] = static_cast<float>(1 / std::sqrt(squares / static_cast<double>(rows.head_dim) + eps));
    for (int64_t d = 0; d < rows.head_dim; ++d) write(y, at + d, read(x, at + d) * rstd[i] * w[d]);
  });
}

void head_norm_backward(ConstBuffer dy, ConstBuffer x, const float* w, const float* rstd, Buffer dx,
                        float* dw, float dw_beta, const HeadRows& rows) {
  if (dw != nullptr && dw_beta == 0)
    std::memset(dw, 0, static_cast<size_t>(rows.head_dim) * sizeof(float));
  for_each_head(rows, [&](int64_t i, int64_t at) {
    double dot = 0;
    for (int64_t d = 0; d < rows.head_dim; ++d)
      dot += static_cast<double>(read(dy, at + d)) * w[d] * read(x, at + d);
    const double factor = dot * rstd[i] * rstd[i] / static_cast<double>(rows.head_dim);
    for (int64_t d = 0; d < rows.head_dim; ++d) {
      const float g = read(dy, at + d), v = read(x, at + d);
      if (dw != nullptr) dw[d] += g * v * rstd[i];
      write(dx, at + d, static_cast<float>(rstd[i] * (g * w[d] - v * factor)));
    }
  });
}

void geglu(ConstBuffer gate_up, Buffer y, int64_t N, int64_t F) {
  for (int64_t n = 0; n < N; ++n) {
    for (int64_t f = 0; f < F; ++f) {
      double slope = 0;
      const double gate = gelu_tanh(read(gate_up, n * 2 * F + f), &slope);
      write(y, n * F + f, static_cast<float>(gate * read(gate_up, n * 2 * F + F + f)));
    }
  }
}

void geglu_backward(ConstBuffer dy, ConstBuffer gate_up, Buffer dgate_up, int64_t N, int64_t F) {
  for (int64_t n = 0; n < N; ++n) {
    for (int64_t f = 0; f < F; ++f) {
      double slope = 0;
      const double gate = gelu_tanh(read(gate_up, n * 2 * F + f), &slope);
      const double g = read(dy, n * F + f), up = read(gate_up, n * 2 * F + F + f);
      write(dgate_up, n * 2 * F + f, static_cast<float>(g * up * slope));
      write(dgate_up, n * 2 * F + F + f, static_cast<float>(g * gate));
    }
  }
}

void relu(ConstBuffer x, Buffer y, Buffer slope, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const float v = read(x, i);
    write(y, i, v > 0 ? v : 0.0f);
    if (slope.data != nullptr) write(slope, i, v > 0 ? 1.0f : 0.0f);
  }
}

void scale(const float* x, float* y, float factor, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = factor * x[i];
}

void softcap(float* x, float cap, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] = cap * std::tanh(x[i] / cap);
}

void softcap_backward(const float* x, Buffer dy, float cap, int64_t n) {
  for (int64_t i = 0; i < n; ++i) write(dy, i, read(dy, i) * (1 - x[i] / cap * (x[i] / cap)));
}

void scatter_rows(ConstBuffer x, const int32_t* rows, const float* weights, float* y, int64_t n,
                  int64_t D) {
  for (int64_t i = 0; i < n; ++i)
    for (int64_t d = 0; d < D; ++d) y[rows[i] * D + d] += weights[i] * read(x, i * D + d);
}

void scatter_rows_backward(const float* dy, ConstBuffer x, const int32_t* rows,
                           const float* weights, Buffer dx, float* dweights, int64_t n, int64_t D) {
  for (int64_t i = 0; i < n; ++i) {
    double dot = 0;
    for (int64_t d = 0; d < D; ++d) {
      const float g = dy[rows[i] * D + d];
      dot += static_cast<double>(g) * read(x, i * D + d);
      write(dx, i * D + d, weights[i] * g);
    }
    if (dweights != nullptr) dweights[i] = static_cast<float>(dot);
  }
}

}  // namespace malssi::scalar
