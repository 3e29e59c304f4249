// Root-mean-square norm (Zhang, Sennrich 2019) and layer norm (Ba et al. 2016), forward and
// backward, row by row.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/norms.cc"
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

int64_t rows_grain(int64_t D) { return std::max<int64_t>(1, 16384 / std::max<int64_t>(D, 1)); }

// Runs rows(begin, end, dw, db) in parallel, each piece with sums of its own, then adds those up
// in the pieces' order.
template <class Rows>
void with_weight_sums(int64_t N, int64_t D, float* dw, float dw_beta, float* db, float db_beta,
                      Rows&& rows) {
  const int64_t pieces = std::max<int64_t>(1, thread_count());
  std::vector<float> sums(static_cast<size_t>(2 * pieces * D), 0.0f);
  parallel_for(N, rows_grain(D), [&](int64_t begin, int64_t end) {
    float* own = sums.data() + 2 * D * thread_index();
    rows(begin, end, own, own + D);
  });
  const auto gather = [&](float* target, float beta, int64_t offset) {
    if (target == nullptr) return;
    for (int64_t i = 0; i < D; ++i) {
      float sum = beta != 0 ? target[i] : 0.0f;
      for (int64_t p = 0; p < pieces; ++p) sum += sums[static_cast<size_t>(2 * D * p + offset + i)];
      target[i] = sum;
    }
  };
  gather(dw, dw_beta, 0);
  gather(db, db_beta, D);
}

template <class T>
void rms_norm_typed(const float* x, const float* w, T* y, float* rstd, int64_t N, int64_t D,
                    float eps) {
  parallel_for(N, rows_grain(D), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      const float* row = x + n * D;
      T* out = y + n * D;
      const float squares = sum_lanes(D, [&](auto d, int64_t i) {
        const auto v = load(d, row + i);
        return hn::Mul(v, v);
      });
      rstd[n] = 1.0f / std::sqrt(squares / static_cast<float>(D) + eps);
      for_lanes(D, [&](auto d, int64_t i) {
        store(hn::Mul(hn::Mul(load(d, row + i), hn::Set(d, rstd[n])), load(d, w + i)), d, out + i);
      });
    }
  });
}
void rms_norm(const float* x, const float* w, Buffer y, float* rstd, int64_t N, int64_t D,
              float eps) {
  with_type(y, [&](auto* t) { rms_norm_typed(x, w, t, rstd, N, D, eps); });
}

template <class T>
void rms_norm_backward_typed(const T* dy, const float* x, const float* w, const float* rstd,
                             float* dx, float dx_beta, float* dw, float dw_beta, int64_t N,
                             int64_t D) {
  with_weight_sums(N, D, dw, dw_beta, nullptr, 0,
                   [&](int64_t begin, int64_t end, float* dw_sum, float*) {
                     for (int64_t n = begin; n < end; ++n) {
                       const float* row = x + n * D;
                       const T* g = dy + n * D;
                       const float dot = sum_lanes(D, [&](auto d, int64_t i) {
                         return hn::Mul(hn::Mul(load(d, g + i), load(d, w + i)), load(d, row + i));
                       });
                       const float r = rstd[n], factor = -dot * r * r * r / static_cast<float>(D);
                       for_lanes(D, [&](auto d, int64_t i) {
                         const auto gi = load(d, g + i), xi = load(d, row + i);
                         const auto gr = hn::Mul(gi, hn::Set(d, r));
                         store(hn::MulAdd(gr, xi, load(d, dw_sum + i)), d, dw_sum + i);
                         if (dx == nullptr) return;
                         auto v = hn::MulAdd(gr, load(d, w + i), hn::Mul(xi, hn::Set(d, factor)));
                         if (dx_beta != 0) v = hn::Add(v, load(d, dx + n * D + i));
                         store(v, d, dx + n * D + i);
                       });
                     }
                   });
}
void rms_norm_backward(ConstBuffer dy, const float* x, const float* w, const float* rstd, float* dx,
                       float dx_beta, float* dw, float dw_beta, int64_t N, int64_t D) {
  with_type(
      dy, [&](auto* t) { rms_norm_backward_typed(t, x, w, rstd, dx, dx_beta, dw, dw_beta, N, D); });
}

template <class T>
void layer_norm_typed(const float* x, const float* w, const float* b, T* y, float* mean,
                      float* rstd, int64_t N, int64_t D, float eps) {
  parallel_for(N, rows_grain(D), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      const float* row = x + n * D;
      T* out = y + n * D;
      const float m =
          sum_lanes(D, [&](auto d, int64_t i) { return load(d, row + i); }) / static_cast<float>(D);
      const float squares = sum_lanes(D, [&](auto d, int64_t i) {
        const auto v = hn::Sub(load(d, row + i), hn::Set(d, m));
        return hn::Mul(v, v);
      });
      mean[n] = m;
      rstd[n] = 1.0f / std::sqrt(squares / static_cast<float>(D) + eps);
      for_lanes(D, [&](auto d, int64_t i) {
        auto v = hn::Mul(hn::Mul(hn::Sub(load(d, row + i), hn::Set(d, m)), hn::Set(d, rstd[n])),
                         load(d, w + i));
        if (b != nullptr) v = hn::Add(v, load(d, b + i));
        store(v, d, out + i);
      });
    }
  });
}
void layer_norm(const float* x, const float* w, const float* b, Buffer y, float* mean, float* rstd,
                int64_t N, int64_t D, float eps) {
  with_type(y, [&](auto* t) { layer_norm_typed(x, w, b, t, mean, rstd, N, D, eps); });
}

template <class T>
void layer_norm_backward_typed(const T* dy, const float* x, const float* w, const float* mean,
                               const float* rstd, float* dx, float dx_beta, float* dw,
                               float dw_beta, float* db, float db_beta, int64_t N, int64_t D) {
  with_weight_sums(
      N, D, dw, dw_beta, db, db_beta,
      [&](int64_t begin, int64_t end, float* dw_sum, float* db_sum) {
        for (int64_t n = begin; n < end; ++n) {
          const float* row = x + n * D;
          const T* g = dy + n * D;
          const float m = mean[n], r = rstd[n];
          const float sum = sum_lanes(
              D, [&](auto d, int64_t i) { return hn::Mul(load(d, g + i), load(d, w + i)); });
          const float dot = r * sum_lanes(D, [&](auto d, int64_t i) {
                              return hn::Mul(hn::Mul(load(d, g + i), load(d, w + i)),
                                             hn::Sub(load(d, row + i), hn::Set(d, m)));
                            });
          const float mean_sum = sum / static_cast<float>(D),
                      mean_dot = dot / static_cast<float>(D);
          for_lanes(D, [&](auto d, int64_t i) {
            const auto gi = load(d, g + i);
            const auto normal = hn::Mul(hn::Sub(load(d, row + i), hn::Set(d, m)), hn::Set(d, r));
            store(hn::MulAdd(gi, normal, load(d, dw_sum + i)), d, dw_sum + i);
            store(hn::Add(gi, load(d, db_sum + i)), d, db_sum + i);
            if (dx == nullptr) return;
            auto v = hn::Sub(hn::Mul(gi, load(d, w + i)),
                             hn::MulAdd(normal, hn::Set(d, mean_dot), hn::Set(d, mean_sum)));
            v = hn::Mul(v, hn::Set(d, r));
            if (dx_beta != 0) v = hn::Add(v, load(d, dx + n * D + i));
            store(v, d, dx + n * D + i);
          });
        }
      });
}
void layer_norm_backward(ConstBuffer dy, const float* x, const float* w, const float* mean,
                         const float* rstd, float* dx, float dx_beta, float* dw, float dw_beta,
                         float* db, float db_beta, int64_t N, int64_t D) {
  with_type(dy, [&](auto* t) {
    layer_norm_backward_typed(t, x, w, mean, rstd, dx, dx_beta, dw, dw_beta, db, db_beta, N, D);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace malssi
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace malssi {
HWY_EXPORT(rms_norm);
HWY_EXPORT(rms_norm_backward);
HWY_EXPORT(layer_norm);
HWY_EXPORT(layer_norm_backward);
namespace simd {
void rms_norm(const float* x, const float* w, Buffer y, float* rstd, int64_t N, int64_t D,
              float eps) {
  HWY_DYNAMIC_DISPATCH(rms_norm)(x, w, y, rstd, N, D, eps);
}
void rms_norm_backward(ConstBuffer dy, const float* x, const float* w, const float* rstd, float* dx,
                       float dx_beta, float* dw, float dw_beta, int64_t N, int64_t D) {
  HWY_DYNAMIC_DISPATCH(rms_norm_backward)(dy, x, w, rstd, dx, dx_beta, dw, dw_beta, N, D);
}
void layer_norm(const float* x, const float* w, const float* b, Buffer y, float* mean, float* rstd,
                int64_t N, int64_t D, float eps) {
  HWY_DYNAMIC_DISPATCH(layer_norm)(x, w, b, y, mean, rstd, N, D, eps);
}
void layer_norm_backward(ConstBuffer dy, const float* x, const float* w, const float* mean,
                         const float* rstd, float* dx, float dx_beta, float* dw, float dw_beta,
                         float* db, float db_beta, int64_t N, int64_t D) {
  HWY_DYNAMIC_DISPATCH(layer_norm_backward)
  (dy, x, w, mean, rstd, dx, dx_beta, dw, dw_beta, db, db_beta, N, D);
}
}  // namespace simd
}  // namespace malssi
#endif
