// Conversions, sums, biases and the optimiser's update: everything limited by memory alone.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/elementwise.cc"
#include "hwy/foreach_target.h"  // NOLINT: must come before highway.h
#include "kernels/cpu/simd-inl.h"

#include <vector>

#include "base/parallel.h"
#include "kernels/cpu/simd_kernels.h"
#include "kernels/cpu/typed.h"

HWY_BEFORE_NAMESPACE();
namespace malssi {
namespace HWY_NAMESPACE {
constexpr int64_t kGrain = 16384;

template <class X, class Y>
void convert(const X* x, Y* y, int64_t n) {
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) {
    for_lanes(end - begin,
              [&](auto d, int64_t i) { store(load(d, x + begin + i), d, y + begin + i); });
  });
}
void f32_to_bf16(const float* x, bf16* y, int64_t n) { convert(x, y, n); }
void bf16_to_f32(const bf16* x, float* y, int64_t n) { convert(x, y, n); }

template <class Y, class X>
void add_into_typed(Y* y, const X* x, int64_t n) {
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) {
    for_lanes(end - begin, [&](auto d, int64_t i) {
      store(hn::Add(load(d, y + begin + i), load(d, x + begin + i)), d, y + begin + i);
    });
  });
}
void add_into(void* y, DType y_dtype, const void* x, DType x_dtype, int64_t n) {
  with_type(Buffer{y, y_dtype}, [&](auto* ty) {
    with_type(ConstBuffer{x, x_dtype}, [&](auto* tx) { add_into_typed(ty, tx, n); });
  });
}

template <class T>
void residual_add_typed(const float* x, const T* delta, float* y, int64_t n, Dropout dropout) {
  const uint32_t seed = dropout_seed32(dropout.seed), threshold = dropout_threshold(dropout.rate);
  const float scale = 1 / (1 - dropout.rate);
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) {
    for_lanes(end - begin, [&](auto d, int64_t offset) {
      const int64_t i = begin + offset;
      auto v = load(d, delta + i);
      if (threshold != 0)
        v = hn::Mul(v, dropout_factor(d, static_cast<uint32_t>(i), seed, threshold, scale));
      store(hn::Add(load(d, x + i), v), d, y + i);
    });
  });
}
void residual_add(const float* x, ConstBuffer delta, float* y, int64_t n, Dropout dropout) {
  with_type(delta, [&](auto* t) { residual_add_typed(x, t, y, n, dropout); });
}

template <class T>
void residual_add_backward_typed(const float* dy, T* ddelta, float beta, int64_t n,
                                 Dropout dropout) {
  const uint32_t seed = dropout_seed32(dropout.seed), threshold = dropout_threshold(dropout.rate);
  const float scale = 1 / (1 - dropout.rate);
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) {
    for_lanes(end - begin, [&](auto d, int64_t offset) {
      const int64_t i = begin + offset;
      auto v = load(d, dy + i);
      if (threshold != 0)
        v = hn::Mul(v, dropout_factor(d, static_cast<uint32_t>(i), seed, threshold, scale));
      if (beta != 0) v = hn::Add(v, load(d, ddelta + i));
      store(v, d, ddelta + i);
    });
  });
}
void residual_add_backward(const float* dy, Buffer ddelta, float beta, int64_t n, Dropout dropout) {
  with_type(ddelta, [&](auto* t) { residual_add_backward_typed(dy, t, beta, n, dropout); });
}

double sum_squares(const float* x, int64_t n) {
  constexpr int64_t kBlock = 4096;  // a fixed order of sums, whatever the number of threads
  const int64_t blocks = (n + kBlock - 1) / kBlock;
  std::vector<float> part(static_cast<size_t>(blocks));
  parallel_for(blocks, 8, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      const float* p = x + b * kBlock;
      part[static_cast<size_t>(b)] =
          sum_lanes(std::min(kBlock, n - b * kBlock), [&](auto d, int64_t i) {
            const auto v = load(d, p + i);
            return hn::Mul(v, v);
          });
    }
  });
  double sum = 0;
  for (float p : part) sum += p;
  return sum;
}

template <class T>
void add_bias_typed(T* x, const float* b, int64_t N, int64_t D) {
  parallel_for(N, std::max<int64_t>(1, kGrain / std::max<int64_t>(D, 1)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t n = begin; n < end; ++n) {
                   T* row = x + n * D;
                   for_lanes(D, [&](auto d, int64_t i) {
                     store(hn::Add(load(d, row + i), load(d, b + i)), d, row + i);
                   });
                 }
               });
}
void add_bias(Buffer x, const float* b, int64_t N, int64_t D) {
  with_type(x, [&](auto* t) { add_bias_typed(t, b, N, D); });
}

template <class T>
void bias_backward_typed(const T* dy, float* db, float beta, int64_t N, int64_t D) {
  parallel_for(D, 64, [&](int64_t begin, int64_t end) {  // each thread owns some columns
    if (beta == 0) std::fill(db + begin, db + end, 0.0f);
    for (int64_t n = 0; n < N; ++n) {
      const T* row = dy + n * D + begin;
      for_lanes(end - begin, [&](auto d, int64_t i) {
        store(hn::Add(load(d, db + begin + i), load(d, row + i)), d, db + begin + i);
      });
    }
  });
}
void bias_backward(ConstBuffer dy, float* db, float beta, int64_t N, int64_t D) {
  with_type(dy, [&](auto* t) { bias_backward_typed(t, db, beta, N, D); });
}

template <class D>
HWY_INLINE hn::Vec<D> load(D d, const MasterWeights& weights, int64_t i) {
  if (weights.whole != nullptr) return load(d, weights.whole + i);
  const hn::Rebind<int16_t, D> d16;
  const hn::Rebind<int32_t, D> d32;
  const auto high = hn::BitCast(d32, load(d, weights.high + i));
  return hn::BitCast(d, hn::Add(high, hn::PromoteTo(d32, hn::LoadU(d16, weights.low + i))));
}

// The upper halves of 32-bit words, as they are.
template <class D, class V>
HWY_INLINE void store_upper(V words, D, bf16* p) {
  const hn::Rebind<int32_t, D> d32;
  const hn::Rebind<uint16_t, D> d16;
  const auto upper = hn::DemoteTo(d16, hn::BitCast(d32, hn::ShiftRight<16>(words)));
  hn::StoreU(upper, d16, reinterpret_cast<uint16_t*>(p));
}

template <class D>
HWY_INLINE void store(hn::Vec<D> v, D d, const MasterWeights& weights, int64_t i) {
  if (weights.whole != nullptr) return store(v, d, weights.whole + i);
  const hn::Rebind<uint32_t, D> d32;
  const hn::Rebind<int32_t, D> di32;
  const hn::Rebind<int16_t, D> d16;
  const auto words = hn::BitCast(d32, v);
  store_upper(hn::Add(words, hn::Set(d32, 0x8000u)), d, weights.high + i);
  const auto low = hn::ShiftRight<16>(hn::BitCast(di32, hn::ShiftLeft<16>(words)));
  hn::StoreU(hn::DemoteTo(d16, low), d16, weights.low + i);
}

// bf16 takes 16 random bits below it; f32 takes the value as it is.
template <class D, class R>
HWY_INLINE void store_rounded(hn::Vec<D> v, D d, R, float* p) {
  store(v, d, p);
}
template <class D, class R>
HWY_INLINE void store_rounded(hn::Vec<D> v, D d, R random, bf16* p) {
  store_upper(hn::Add(hn::BitCast(hn::Rebind<uint32_t, D>(), v), random), d, p);
}

template <class T>
void adamw_typed(const AdamWStep& step, const float* gradient, const MasterWeights& weights,
                 T* first, T* second, int64_t n) {
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) {
    for_lanes(end - begin, [&](auto d, int64_t offset) {
      const int64_t i = begin + offset;
      const hn::Rebind<uint32_t, decltype(d)> d32;
      const auto g = hn::Mul(load(d, gradient + i), hn::Set(d, step.gradient_scale));
      const auto m = hn::MulAdd(hn::Set(d, step.beta1), load(d, first + i),
                                hn::Mul(hn::Set(d, 1 - step.beta1), g));
      const auto v = hn::MulAdd(hn::Set(d, step.beta2), load(d, second + i),
                                hn::Mul(hn::Set(d, 1 - step.beta2), hn::Mul(g, g)));
      const auto root = hn::Sqrt(hn::Mul(v, hn::Set(d, 1 / step.correction2)));
      const auto update = hn::Div(hn::Mul(m, hn::Set(d, 1 / step.correction1)),
                                  hn::Add(root, hn::Set(d, step.eps)));
      const auto w = load(d, weights, i);
      const auto decayed = hn::MulAdd(hn::Set(d, step.weight_decay), w, update);
      store(hn::NegMulAdd(hn::Set(d, step.lr), decayed, w), d, weights, i);
      auto random = hn::Zero(d32);
      if constexpr (sizeof(T) == 2) random = random_bits(d, static_cast<uint32_t>(i), step.seed);
      store_rounded(m, d, hn::And(random, hn::Set(d32, 0xffffu)), first + i);
      store_rounded(v, d, hn::ShiftRight<16>(random), second + i);
    });
  });
}
void adamw(const AdamWStep& step, const float* gradient, MasterWeights weights, Buffer first,
           Buffer second, int64_t n) {
  CHECK(first.dtype == second.dtype);
  with_type(first, [&](auto* moment) {
    using T = std::remove_pointer_t<decltype(moment)>;
    adamw_typed(step, gradient, weights, moment, static_cast<T*>(second.data), n);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace malssi
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace malssi {
HWY_EXPORT(f32_to_bf16);
HWY_EXPORT(bf16_to_f32);
HWY_EXPORT(add_into);
HWY_EXPORT(residual_add);
HWY_EXPORT(residual_add_backward);
HWY_EXPORT(sum_squares);
HWY_EXPORT(add_bias);
HWY_EXPORT(bias_backward);
HWY_EXPORT(adamw);
namespace simd {
void f32_to_bf16(const float* x, bf16* y, int64_t n) { HWY_DYNAMIC_DISPATCH(f32_to_bf16)(x, y, n); }
void bf16_to_f32(const bf16* x, float* y, int64_t n) { HWY_DYNAMIC_DISPATCH(bf16_to_f32)(x, y, n); }
void add_into(void* y, DType y_dtype, const void* x, DType x_dtype, int64_t n) {
  HWY_DYNAMIC_DISPATCH(add_into)(y, y_dtype, x, x_dtype, n);
}
void residual_add(const float* x, ConstBuffer delta, float* y, int64_t n, Dropout dropout) {
  HWY_DYNAMIC_DISPATCH(residual_add)(x, delta, y, n, dropout);
}
void residual_add_backward(const float* dy, Buffer ddelta, float beta, int64_t n, Dropout dropout) {
  HWY_DYNAMIC_DISPATCH(residual_add_backward)(dy, ddelta, beta, n, dropout);
}
double sum_squares(const float* x, int64_t n) { return HWY_DYNAMIC_DISPATCH(sum_squares)(x, n); }
void add_bias(Buffer x, const float* b, int64_t N, int64_t D) {
  HWY_DYNAMIC_DISPATCH(add_bias)(x, b, N, D);
}
void bias_backward(ConstBuffer dy, float* db, float beta, int64_t N, int64_t D) {
  HWY_DYNAMIC_DISPATCH(bias_backward)(dy, db, beta, N, D);
}
void adamw(const AdamWStep& step, const float* gradient, MasterWeights weights, Buffer first,
           Buffer second, int64_t n) {
  HWY_DYNAMIC_DISPATCH(adamw)(step, gradient, weights, first, second, n);
}
}  // namespace simd
}  // namespace malssi
#endif
