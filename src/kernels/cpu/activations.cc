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

// gelu(x) = x (1 + inner) / 2; slope: its derivative. `bend` is inner's, over sqrt(2 / pi).
template <bool kExact, class D, class V = hn::Vec<D>>
HWY_INLINE V gelu_of(D d, V x, V* slope) {
  const V one = hn::Set(d, 1.0f);
  V inner, bend;
  if constexpr (kExact) {
    inner = erf_of_half(d, x, &bend);
  } else {
    const V square = hn::Mul(x, x);
    const V cubic = hn::Mul(x, hn::MulAdd(hn::Set(d, 0.044715f), square, one));
    inner = tanh(d, hn::Mul(hn::Set(d, kRootTwoOverPi), cubic));
    bend = hn::Mul(hn::NegMulAdd(inner, inner, one),
                   hn::MulAdd(hn::Set(d, 3 * 0.044715f), square, one));
  }
  const V share = hn::MulAdd(hn::Set(d, 0.5f), inner, hn::Set(d, 0.5f));
  *slope = hn::MulAdd(hn::Mul(x, bend), hn::Set(d, 0.5f * kRootTwoOverPi), share);
  return hn::Mul(x, share);
}

template <bool kExact, class T>
void gelu_typed(const T* x, T* y, T* slope, int64_t n) {
  parallel_for(n, 8192, [&](int64_t begin, int64_t end) {
    for_lanes(end - begin, [&](auto d, int64_t offset) {
      const int64_t i = begin + offset;
      auto bend = hn::Zero(d);
      store(gelu_of<kExact>(d, load(d, x + i), &bend), d, y + i);
      if (slope != nullptr) store(bend, d, slope + i);
    });
  });
}
void gelu(ConstBuffer x, Buffer y, Buffer slope, int64_t n, bool exact) {
  CHECK(x.dtype == y.dtype && (slope.data == nullptr || slope.dtype == y.dtype));
  with_type(y, [&](auto* out) {
    using T = std::remove_pointer_t<decltype(out)>;
    const T* in = static_cast<const T*>(x.data);
    T* slopes = static_cast<T*>(slope.data);
    exact ? gelu_typed<true>(in, out, slopes, n) : gelu_typed<false>(in, out, slopes, n);
  });
}

template <class T>
void multiply_typed(const T* a, const T* b, T* y, int64_t n) {
  parallel_for(n, 16384, [&](int64_t begin, int64_t end) {
    for_lanes(end - begin, [&](auto d, int64_t offset) {
      const int64_t i = begin + offset;
      store(hn::Mul(load(d, a + i), load(d, b + i)), d, y + i);
    });
  });
}
void multiply(ConstBuffer a, ConstBuffer b, Buffer y, int64_t n) {
  CHECK(a.dtype == y.dtype && b.dtype == y.dtype);
  with_type(y, [&](auto* out) {
    using T = std::remove_pointer_t<decltype(out)>;
    multiply_typed(static_cast<const T*>(a.data), static_cast<const T*>(b.data), out, n);
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
HWY_EXPORT(multiply);
namespace simd {
void swiglu(ConstBuffer gate_up, Buffer y, int64_t N, int64_t F) {
  HWY_DYNAMIC_DISPATCH(swiglu)(gate_up, y, N, F);
}
void swiglu_backward(ConstBuffer dy, ConstBuffer gate_up, Buffer dgate_up, int64_t N, int64_t F) {
  HWY_DYNAMIC_DISPATCH(swiglu_backward)(dy, gate_up, dgate_up, N, F);
}
void gelu(ConstBuffer x, Buffer y, Buffer slope, int64_t n, bool exact) {
  HWY_DYNAMIC_DISPATCH(gelu)(x, y, slope, n, exact);
}
void multiply(ConstBuffer a, ConstBuffer b, Buffer y, int64_t n) {
  HWY_DYNAMIC_DISPATCH(multiply)(a, b, y, n);
}
}  // namespace simd
}  // namespace malssi
#endif
