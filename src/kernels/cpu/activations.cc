// SwiGLU (Shazeer 2020) and GELU (Hendrycks, Gimpel 2016), forward and backward.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/activations.cc"
#include "hwy/foreach_target.h"  // NOLINT: must come before highway.h
#include "kernels/cpu/simd-inl.h"

#include "base/parallel.h"
#include "kernels/cpu/simd_kernels.h"
#include "kernels/cpu/typed.h"

HWY_BEFORE_NAMESPACE();
namespace malssi {
namespace HWY_NAMESPACE {

template <class X, class Y>
void swiglu_typed(const X* gate_up, Y* y, int64_t N, int64_t F) {
  parallel_for(N, std::max<int64_t>(1, 8192 / std::max<int64_t>(F, 1)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t n = begin; n < end; ++n) {
                   const X* gate = gate_up + n * 2 * F;
                   const X* up = gate + F;
                   for_lanes(F, [&](auto d, int64_t i) {
                     const auto g = load(d, gate + i);
                     store(hn::Mul(hn::Mul(g, sigmoid(d, g)), load(d, up + i)), d, y + n * F + i);
                   });
                 }
               });
}
void swiglu(ConstBuffer gate_up, Buffer y, int64_t N, int64_t F) {
  with_type(gate_up,
            [&](auto* x) { with_type(y, [&](auto* out) { swiglu_typed(x, out, N, F); }); });
}

template <class T>
void swiglu_backward_typed(const T* dy, const T* gate_up, T* dgate_up, int64_t N, int64_t F) {
  parallel_for(N, std::max<int64_t>(1, 8192 / std::max<int64_t>(F, 1)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t n = begin; n < end; ++n) {
                   const T* gate = gate_up + n * 2 * F;
                   T* dgate = dgate_up + n * 2 * F;
                   for_lanes(F, [&](auto d, int64_t i) {
                     const auto g = load(d, gate + i), u = load(d, gate + F + i),
                                dyi = load(d, dy + n * F + i);
                     const auto s = sigmoid(d, g), gs = hn::Mul(g, s);
                     const auto slope =
                         hn::MulAdd(gs, hn::Sub(hn::Set(d, 1.0f), s), s);  // s (1 + g (1 - s))
                     store(hn::Mul(hn::Mul(dyi, u), slope), d, dgate + i);
                     store(hn::Mul(dyi, gs), d, dgate + F + i);
                   });
                 }
               });
}
void swiglu_backward(ConstBuffer dy, ConstBuffer gate_up, Buffer dgate_up, int64_t N, int64_t F) {
  CHECK(dy.dtype == gate_up.dtype && dy.dtype == dgate_up.dtype);
  with_type(dy, [&](auto* t) {
    using T = std::remove_cv_t<std::remove_pointer_t<decltype(t)>>;
    swiglu_backward_typed(t, static_cast<const T*>(gate_up.data), static_cast<T*>(dgate_up.data), N,
                          F);
  });
}

constexpr float kRootTwoOverPi = 0.7978845608f;

// erf(x / sqrt 2) and exp(-x^2 / 2); error below 2e-7 (Abramowitz, Stegun 1964, 7.1.26).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V erf_of_half(D d, V x, V* gauss) {
  const V a = hn::Mul(hn::Abs(x), hn::Set(d, 0.70710678f));
  const V t = hn::Div(hn::Set(d, 1.0f), hn::MulAdd(a, hn::Set(d, 0.3275911f), hn::Set(d, 1.0f)));
  V p = hn::Set(d, 1.061405429f);
  p = hn::MulAdd(p, t, hn::Set(d, -1.453152027f));
  p = hn::MulAdd(p, t, hn::Set(d, 1.421413741f));
  p = hn::MulAdd(p, t, hn::Set(d, -0.284496736f));
  p = hn::MulAdd(p, t, hn::Set(d, 0.254829592f));
  *gauss = exp(d, hn::Neg(hn::Mul(a, a)));
  const V e = hn::NegMulAdd(hn::Mul(p, t), *gauss, hn::Set(d, 1.0f));
  return hn::CopySign(e, x);
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V tanh_inner(D d, V x) {
  const V cube = hn::Mul(hn::Mul(x, x), x);
  return tanh(d, hn::Mul(hn::Set(d, kRootTwoOverPi), hn::MulAdd(hn::Set(d, 0.044715f), cube, x)));
}

template <class X, class Y>
void gelu_typed(const X* x, Y* y, int64_t n, bool exact) {
  parallel_for(n, 8192, [&](int64_t begin, int64_t end) {
    for_lanes(end - begin, [&](auto d, int64_t offset) {
      const auto v = load(d, x + begin + offset);
      auto gauss = v;
      const auto inner = exact ? erf_of_half(d, v, &gauss) : tanh_inner(d, v);
      store(hn::Mul(hn::Mul(hn::Set(d, 0.5f), v), hn::Add(hn::Set(d, 1.0f), inner)), d,
            y + begin + offset);
    });
  });
}
void gelu(ConstBuffer x, Buffer y, int64_t n, bool exact) {
  with_type(x, [&](auto* in) { with_type(y, [&](auto* out) { gelu_typed(in, out, n, exact); }); });
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V gelu_slope(D d, V x, bool exact) {
  const V half = hn::Set(d, 0.5f), one = hn::Set(d, 1.0f);
  if (exact) {
    V gauss = x;
    const V inner = erf_of_half(d, x, &gauss);
    return hn::MulAdd(hn::Mul(x, gauss), hn::Set(d, 0.5f * kRootTwoOverPi),
                      hn::Mul(half, hn::Add(one, inner)));
  }
  const V t = tanh_inner(d, x);
  const V bend = hn::MulAdd(hn::Set(d, 3 * 0.044715f), hn::Mul(x, x), one);
  const V rest = hn::Mul(hn::Mul(hn::NegMulAdd(t, t, one), bend),
                         hn::Mul(x, hn::Set(d, 0.5f * kRootTwoOverPi)));
  return hn::MulAdd(half, hn::Add(one, t), rest);
}

template <class T>
void gelu_backward_typed(const T* dy, const T* x, T* dx, int64_t n, bool exact) {
  parallel_for(n, 8192, [&](int64_t begin, int64_t end) {
    for_lanes(end - begin, [&](auto d, int64_t offset) {
      const int64_t i = begin + offset;
      store(hn::Mul(load(d, dy + i), gelu_slope(d, load(d, x + i), exact)), d, dx + i);
    });
  });
}
void gelu_backward(ConstBuffer dy, ConstBuffer x, Buffer dx, int64_t n, bool exact) {
  CHECK(dy.dtype == x.dtype && dy.dtype == dx.dtype);
  with_type(dy, [&](auto* t) {
    using T = std::remove_cv_t<std::remove_pointer_t<decltype(t)>>;
    gelu_backward_typed(t, static_cast<const T*>(x.data), static_cast<T*>(dx.data), n, exact);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace malssi
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace malssi {
HWY_EXPORT(swiglu);
HWY_EXPORT(swiglu_backward);
HWY_EXPORT(gelu);
HWY_EXPORT(gelu_backward);
namespace simd {
void swiglu(ConstBuffer gate_up, Buffer y, int64_t N, int64_t F) {
  HWY_DYNAMIC_DISPATCH(swiglu)(gate_up, y, N, F);
}
void swiglu_backward(ConstBuffer dy, ConstBuffer gate_up, Buffer dgate_up, int64_t N, int64_t F) {
  HWY_DYNAMIC_DISPATCH(swiglu_backward)(dy, gate_up, dgate_up, N, F);
}
void gelu(ConstBuffer x, Buffer y, int64_t n, bool exact) {
  HWY_DYNAMIC_DISPATCH(gelu)(x, y, n, exact);
}
void gelu_backward(ConstBuffer dy, ConstBuffer x, Buffer dx, int64_t n, bool exact) {
  HWY_DYNAMIC_DISPATCH(gelu_backward)(dy, x, dx, n, exact);
}
}  // namespace simd
}  // namespace malssi
#endif
