// What some families have: norms of single heads, other gates, soft caps, rows of experts.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/gating.cc"
#include "hwy/foreach_target.h"  // NOLINT: must come before highway.h
#include "kernels/cpu/simd-inl.h"

#include <cmath>
#include <vector>

#include "base/parallel.h"
#include "kernels/cpu/simd_kernels.h"
#include "kernels/cpu/typed.h"

HWY_BEFORE_NAMESPACE();
namespace malssi {
namespace HWY_NAMESPACE {

int64_t grain_of(int64_t width) { return std::max<int64_t>(1, 8192 / std::max<int64_t>(width, 1)); }

template <class T>
void head_norm_typed(const T* x, const float* w, T* y, float* rstd, const HeadRows& r, float eps) {
  parallel_for(r.rows * r.heads, grain_of(r.head_dim), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t at = i / r.heads * r.row_width + i % r.heads * r.head_dim;
      const float squares = sum_lanes(r.head_dim, [&](auto d, int64_t k) {
        const auto v = load(d, x + at + k);
        return hn::Mul(v, v);
      });
      rstd[i] = 1.0f / std::sqrt(squares / static_cast<float>(r.head_dim) + eps);
      for_lanes(r.head_dim, [&](auto d, int64_t k) {
        store(hn::Mul(hn::Mul(load(d, x + at + k), hn::Set(d, rstd[i])), load(d, w + k)), d,
              y + at + k);
      });
    }
  });
}
void head_norm(ConstBuffer x, const float* w, Buffer y, float* rstd, const HeadRows& rows,
               float eps) {
  CHECK(x.dtype == y.dtype);
  with_type(y, [&](auto* out) {
    using T = std::remove_pointer_t<decltype(out)>;
    head_norm_typed(static_cast<const T*>(x.data), w, out, rstd, rows, eps);
  });
}

// Threads own sums of dw, added up in their order.
template <class T>
void head_norm_backward_typed(const T* dy, const T* x, const float* w, const float* rstd, T* dx,
                              float* dw, float dw_beta, const HeadRows& r) {
  const int64_t D = r.head_dim, pieces = std::max<int64_t>(1, thread_count());
  std::vector<float> sums(static_cast<size_t>(pieces * D), 0.0f);
  parallel_for(r.rows * r.heads, grain_of(D), [&](int64_t begin, int64_t end) {
    float* own = sums.data() + D * thread_index();
    for (int64_t i = begin; i < end; ++i) {
      const int64_t at = i / r.heads * r.row_width + i % r.heads * D;
      const float dot = sum_lanes(D, [&](auto d, int64_t k) {
        return hn::Mul(hn::Mul(load(d, dy + at + k), load(d, w + k)), load(d, x + at + k));
      });
      const float factor = dot * rstd[i] * rstd[i] / static_cast<float>(D);
      for_lanes(D, [&](auto d, int64_t k) {
        const auto g = load(d, dy + at + k), v = load(d, x + at + k), s = hn::Set(d, rstd[i]);
        store(hn::MulAdd(hn::Mul(g, v), s, load(d, own + k)), d, own + k);
        const auto inner = hn::NegMulAdd(v, hn::Set(d, factor), hn::Mul(g, load(d, w + k)));
        store(hn::Mul(inner, s), d, dx + at + k);
      });
    }
  });
  if (dw == nullptr) return;
  for (int64_t k = 0; k < D; ++k) {
    float sum = dw_beta != 0 ? dw[k] : 0.0f;
    for (int64_t p = 0; p < pieces; ++p) sum += sums[static_cast<size_t>(p * D + k)];
    dw[k] = sum;
  }
}
void head_norm_backward(ConstBuffer dy, ConstBuffer x, const float* w, const float* rstd, Buffer dx,
                        float* dw, float dw_beta, const HeadRows& rows) {
  CHECK(dy.dtype == dx.dtype && x.dtype == dx.dtype);
  with_type(dx, [&](auto* out) {
    using T = std::remove_pointer_t<decltype(out)>;
    head_norm_backward_typed(static_cast<const T*>(dy.data), static_cast<const T*>(x.data), w, rstd,
                             out, dw, dw_beta, rows);
  });
}

// gelu(x) by tanh; slope: its derivative.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V gelu_tanh(D d, V x, V* slope) {
  const V one = hn::Set(d, 1.0f), root = hn::Set(d, 0.7978845608f), square = hn::Mul(x, x);
  const V t = tanh(d, hn::Mul(root, hn::Mul(x, hn::MulAdd(hn::Set(d, 0.044715f), square, one))));
  const V share = hn::MulAdd(hn::Set(d, 0.5f), t, hn::Set(d, 0.5f));
  const V bend = hn::Mul(hn::NegMulAdd(t, t, one), hn::MulAdd(hn::Set(d, 0.134145f), square, one));
  *slope = hn::MulAdd(hn::Mul(x, bend), hn::Set(d, 0.5f * 0.7978845608f), share);
  return hn::Mul(x, share);
}

template <class T>
void geglu_typed(const T* gate_up, T* y, int64_t N, int64_t F) {
  parallel_for(N, grain_of(F), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      const T* gate = gate_up + n * 2 * F;
      for_lanes(F, [&](auto d, int64_t i) {
        auto slope = hn::Zero(d);
        const auto g = gelu_tanh(d, load(d, gate + i), &slope);
        store(hn::Mul(g, load(d, gate + F + i)), d, y + n * F + i);
      });
    }
  });
}
void geglu(ConstBuffer gate_up, Buffer y, int64_t N, int64_t F) {
  CHECK(gate_up.dtype == y.dtype);
  with_type(y, [&](auto* out) {
    using T = std::remove_pointer_t<decltype(out)>;
    geglu_typed(static_cast<const T*>(gate_up.data), out, N, F);
  });
}

template <class T>
void geglu_backward_typed(const T* dy, const T* gate_up, T* dgate_up, int64_t N, int64_t F) {
  parallel_for(N, grain_of(F), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      const T* gate = gate_up + n * 2 * F;
      T* dgate = dgate_up + n * 2 * F;
      for_lanes(F, [&](auto d, int64_t i) {
        auto slope = hn::Zero(d);
        const auto g = gelu_tanh(d, load(d, gate + i), &slope);
        const auto up = load(d, gate + F + i), dyi = load(d, dy + n * F + i);
        store(hn::Mul(hn::Mul(dyi, up), slope), d, dgate + i);
        store(hn::Mul(dyi, g), d, dgate + F + i);
      });
    }
  });
}
void geglu_backward(ConstBuffer dy, ConstBuffer gate_up, Buffer dgate_up, int64_t N, int64_t F) {
  CHECK(dy.dtype == gate_up.dtype && dy.dtype == dgate_up.dtype);
  with_type(dgate_up, [&](auto* out) {
    using T = std::remove_pointer_t<decltype(out)>;
    geglu_backward_typed(static_cast<const T*>(dy.data), static_cast<const T*>(gate_up.data), out,
                         N, F);
  });
}

template <class T>
void relu_typed(const T* x, T* y, T* slope, int64_t n) {
  parallel_for(n, 16384, [&](int64_t begin, int64_t end) {
    for_lanes(end - begin, [&](auto d, int64_t offset) {
      const int64_t i = begin + offset;
      const auto v = load(d, x + i), zero = hn::Zero(d);
      store(hn::Max(v, zero), d, y + i);
      if (slope != nullptr)
        store(hn::IfThenElseZero(hn::Gt(v, zero), hn::Set(d, 1.0f)), d, slope + i);
    });
  });
}
void relu(ConstBuffer x, Buffer y, Buffer slope, int64_t n) {
  CHECK(x.dtype == y.dtype && (slope.data == nullptr || slope.dtype == y.dtype));
  with_type(y, [&](auto* out) {
    using T = std::remove_pointer_t<decltype(out)>;
    relu_typed(static_cast<const T*>(x.data), out, static_cast<T*>(slope.data), n);
  });
}

void scale(const float* x, float* y, float factor, int64_t n) {
  parallel_for(n, 16384, [&](int64_t begin, int64_t end) {
    for_lanes(end - begin, [&](auto d, int64_t offset) {
      store(hn::Mul(load(d, x + begin + offset), hn::Set(d, factor)), d, y + begin + offset);
    });
  });
}

void softcap(float* x, float cap, int64_t n) {
  parallel_for(n, 8192, [&](int64_t begin, int64_t end) {
    for_lanes(end - begin, [&](auto d, int64_t offset) {
      float* at = x + begin + offset;
      const auto t = tanh(d, hn::Mul(load(d, at), hn::Set(d, 1 / cap)));
      store(hn::Mul(t, hn::Set(d, cap)), d, at);
    });
  });
}

template <class T>
void softcap_backward_typed(const float* x, T* dy, float cap, int64_t n) {
  parallel_for(n, 16384, [&](int64_t begin, int64_t end) {
    for_lanes(end - begin, [&](auto d, int64_t offset) {
      T* at = dy + begin + offset;
      const auto t = hn::Mul(load(d, x + begin + offset), hn::Set(d, 1 / cap)), g = load(d, at);
      store(hn::NegMulAdd(hn::Mul(t, t), g, g), d, at);
    });
  });
}
void softcap_backward(const float* x, Buffer dy, float cap, int64_t n) {
  with_type(dy, [&](auto* t) { softcap_backward_typed(x, t, cap, n); });
}

void scatter_rows(ConstBuffer x, const int32_t* rows, const float* weights, float* y, int64_t n,
                  int64_t D) {
  with_type(x, [&](auto* from) {
    parallel_for(n, grain_of(D), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        float* row = y + rows[i] * D;
        for_lanes(D, [&](auto d, int64_t k) {
          store(hn::MulAdd(load(d, from + i * D + k), hn::Set(d, weights[i]), load(d, row + k)), d,
                row + k);
        });
      }
    });
  });
}

template <class T>
void scatter_rows_backward_typed(const float* dy, const T* x, const int32_t* rows,
                                 const float* weights, T* dx, float* dweights, int64_t n,
                                 int64_t D) {
  parallel_for(n, grain_of(D), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const float* g = dy + rows[i] * D;
      if (dweights != nullptr)
        dweights[i] = sum_lanes(
            D, [&](auto d, int64_t k) { return hn::Mul(load(d, g + k), load(d, x + i * D + k)); });
      for_lanes(D, [&](auto d, int64_t k) {
        store(hn::Mul(load(d, g + k), hn::Set(d, weights[i])), d, dx + i * D + k);
      });
    }
  });
}
void scatter_rows_backward(const float* dy, ConstBuffer x, const int32_t* rows,
                           const float* weights, Buffer dx, float* dweights, int64_t n, int64_t D) {
  CHECK(x.dtype == dx.dtype);
  with_type(dx, [&](auto* out) {
    using T = std::remove_pointer_t<decltype(out)>;
    scatter_rows_backward_typed(dy, static_cast<const T*>(x.data), rows, weights, out, dweights, n,
                                D);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace malssi
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace malssi {
HWY_EXPORT(head_norm);
HWY_EXPORT(head_norm_backward);
HWY_EXPORT(geglu);
HWY_EXPORT(geglu_backward);
HWY_EXPORT(relu);
HWY_EXPORT(scale);
HWY_EXPORT(softcap);
HWY_EXPORT(softcap_backward);
HWY_EXPORT(scatter_rows);
HWY_EXPORT(scatter_rows_backward);
namespace simd {
void head_norm(ConstBuffer x, const float* w, Buffer y, float* rstd, const HeadRows& rows,
               float eps) {
  HWY_DYNAMIC_DISPATCH(head_norm)(x, w, y, rstd, rows, eps);
}
void head_norm_backward(ConstBuffer dy, ConstBuffer x, const float* w, const float* rstd, Buffer dx,
                        float* dw, float dw_beta, const HeadRows& rows) {
  HWY_DYNAMIC_DISPATCH(head_norm_backward)(dy, x, w, rstd, dx, dw, dw_beta, rows);
}
void geglu(ConstBuffer gate_up, Buffer y, int64_t N, int64_t F) {
  HWY_DYNAMIC_DISPATCH(geglu)(gate_up, y, N, F);
}
void geglu_backward(ConstBuffer dy, ConstBuffer gate_up, Buffer dgate_up, int64_t N, int64_t F) {
  HWY_DYNAMIC_DISPATCH(geglu_backward)(dy, gate_up, dgate_up, N, F);
}
void relu(ConstBuffer x, Buffer y, Buffer slope, int64_t n) {
  HWY_DYNAMIC_DISPATCH(relu)(x, y, slope, n);
}
void scale(const float* x, float* y, float factor, int64_t n) {
  HWY_DYNAMIC_DISPATCH(scale)(x, y, factor, n);
}
void softcap(float* x, float cap, int64_t n) { HWY_DYNAMIC_DISPATCH(softcap)(x, cap, n); }
void softcap_backward(const float* x, Buffer dy, float cap, int64_t n) {
  HWY_DYNAMIC_DISPATCH(softcap_backward)(x, dy, cap, n);
}
void scatter_rows(ConstBuffer x, const int32_t* rows, const float* weights, float* y, int64_t n,
                  int64_t D) {
  HWY_DYNAMIC_DISPATCH(scatter_rows)(x, rows, weights, y, n, D);
}
void scatter_rows_backward(const float* dy, ConstBuffer x, const int32_t* rows,
                           const float* weights, Buffer dx, float* dweights, int64_t n, int64_t D) {
  HWY_DYNAMIC_DISPATCH(scatter_rows_backward)(dy, x, rows, weights, dx, dweights, n, D);
}
}  // namespace simd
}  // namespace malssi
#endif
