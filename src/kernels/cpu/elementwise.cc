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

void adamw(const AdamWStep& step, const float* gradient, float* weight, float* first, float* second,
           bf16* copy, int64_t n) {
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) {
    for_lanes(end - begin, [&](auto d, int64_t offset) {
      const int64_t i = begin + offset;
      const auto g = hn::Mul(load(d, gradient + i), hn::Set(d, step.gradient_scale));
      const auto m = hn::MulAdd(hn::Set(d, step.beta1), load(d, first + i),
                                hn::Mul(hn::Set(d, 1 - step.beta1), g));
      const auto v = hn::MulAdd(hn::Set(d, step.beta2), load(d, second + i),
                                hn::Mul(hn::Set(d, 1 - step.beta2), hn::Mul(g, g)));
      const auto root = hn::Sqrt(hn::Mul(v, hn::Set(d, 1 / step.correction2)));
      const auto update = hn::Div(hn::Mul(m, hn::Set(d, 1 / step.correction1)),
                                  hn::Add(root, hn::Set(d, step.eps)));
      const auto w = load(d, weight + i);
      const auto decayed = hn::MulAdd(hn::Set(d, step.weight_decay), w, update);
      const auto next = hn::NegMulAdd(hn::Set(d, step.lr), decayed, w);
      store(m, d, first + i);
      store(v, d, second + i);
      store(next, d, weight + i);
      if (copy != nullptr) store(next, d, copy + i);
    });
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
void adamw(const AdamWStep& step, const float* gradient, float* weight, float* first, float* second,
           bf16* copy, int64_t n) {
  HWY_DYNAMIC_DISPATCH(adamw)(step, gradient, weight, first, second, copy, n);
}
}  // namespace simd
}  // namespace malssi
#endif
