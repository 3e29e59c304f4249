// Kernels on token rows: embedding, rotary positions (Su et al. 2021), cross-entropy, and the
// product for a few rows.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/tokens.cc"
#include "hwy/foreach_target.h"  // NOLINT: must come before highway.h
#include "kernels/cpu/simd-inl.h"

#include <cmath>

#include "base/parallel.h"
#include "kernels/cpu/simd_kernels.h"
#include "kernels/cpu/typed.h"

HWY_BEFORE_NAMESPACE();
namespace malssi {
namespace HWY_NAMESPACE {

template <class T>
void embed_typed(const T* table, const int32_t* ids, const T* position_table,
                 const int32_t* positions, float* y, int64_t N, int64_t D) {
  parallel_for(
      N, std::max<int64_t>(1, 16384 / std::max<int64_t>(D, 1)), [&](int64_t begin, int64_t end) {
        for (int64_t n = begin; n < end; ++n) {
          const T* row = table + ids[n] * D;
          const T* place = position_table == nullptr ? nullptr : position_table + positions[n] * D;
          for_lanes(D, [&](auto d, int64_t i) {
            auto v = load(d, row + i);
            if (place != nullptr) v = hn::Add(v, load(d, place + i));
            store(v, d, y + n * D + i);
          });
        }
      });
}
void embed(ConstBuffer table, const int32_t* ids, ConstBuffer position_table,
           const int32_t* positions, float* y, int64_t N, int64_t D) {
  CHECK(position_table.data == nullptr || position_table.dtype == table.dtype);
  with_type(table, [&](auto* t) {
    embed_typed(t, ids, static_cast<decltype(t)>(position_table.data), positions, y, N, D);
  });
}

void embed_backward(const float* dy, const int32_t* ids, float* dtable, int64_t N, int64_t D) {
  parallel_for(
      D, N < 64 ? D : 64,
      [&](int64_t begin, int64_t end) {  // each thread owns some columns: the order stays fixed
        for (int64_t n = 0; n < N; ++n) {
          float* row = dtable + ids[n] * D + begin;
          const float* g = dy + n * D + begin;
          for_lanes(end - begin, [&](auto d, int64_t i) {
            store(hn::Add(load(d, row + i), load(d, g + i)), d, row + i);
          });
        }
      });
}

template <class T>
void rope_typed(T* x, const int32_t* positions, const float* cosines, const float* sines, int64_t N,
                int64_t heads, int64_t head_dim, int64_t row_width, bool back) {
  const int64_t half = head_dim / 2;
  parallel_for(N, std::max<int64_t>(1, 8192 / std::max<int64_t>(row_width, 1)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t n = begin; n < end; ++n) {
                   const float* c = cosines + positions[n] * half;
                   const float* s = sines + positions[n] * half;
                   for (int64_t h = 0; h < heads; ++h) {
                     T* low = x + n * row_width + h * head_dim;
                     for_lanes(half, [&](auto d, int64_t i) {
                       const auto ci = load(d, c + i), a = load(d, low + i),
                                  b = load(d, low + half + i);
                       const auto si = back ? hn::Neg(load(d, s + i)) : load(d, s + i);
                       store(hn::Sub(hn::Mul(a, ci), hn::Mul(b, si)), d, low + i);
                       store(hn::MulAdd(b, ci, hn::Mul(a, si)), d, low + half + i);
                     });
                   }
                 }
               });
}
void rope(Buffer x, const int32_t* positions, const float* cosines, const float* sines, int64_t N,
          int64_t heads, int64_t head_dim, int64_t row_width, bool back) {
  with_type(x, [&](auto* t) {
    rope_typed(t, positions, cosines, sines, N, heads, head_dim, row_width, back);
  });
}

HWY_INLINE float row_max(const float* row, int64_t V) {
  const Full d;
  const auto L = static_cast<int64_t>(hn::Lanes(d));
  auto top = hn::Set(d, row[0]);
  int64_t i = 0;
  for (; i + L <= V; i += L) top = hn::Max(top, load(d, row + i));
  float result = hn::GetLane(hn::MaxOfLanes(d, top));
  for (; i < V; ++i) result = std::max(result, row[i]);
  return result;
}

template <class T>
void cross_entropy_rows(const float* logits, const int32_t* targets, const float* weights,
                        float scale, float* loss, T* dlogits, int64_t N, int64_t V) {
  parallel_for(N, std::max<int64_t>(1, 4096 / V), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      const float* row = logits + n * V;
      const float weight = targets[n] < 0 ? 0.0f : weights[n];
      T* out = dlogits == nullptr ? nullptr : dlogits + n * V;
      if (weight == 0) {
        loss[n] = 0;
        if (out != nullptr)
          for_lanes(V, [&](auto d, int64_t i) { store(hn::Zero(d), d, out + i); });
        continue;
      }
      const float top = row_max(row, V);
      const float sum = sum_lanes(
          V, [&](auto d, int64_t i) { return exp(d, hn::Sub(load(d, row + i), hn::Set(d, top))); });
      const float at_target = row[targets[n]];
      loss[n] = weight * (std::log(sum) + top - at_target);
      if (out == nullptr) continue;
      const float factor = scale * weight / sum;
      for_lanes(V, [&](auto d, int64_t i) {
        store(hn::Mul(exp(d, hn::Sub(load(d, row + i), hn::Set(d, top))), hn::Set(d, factor)), d,
              out + i);
      });
      out[targets[n]] = T(std::exp(at_target - top) * factor - scale * weight);
    }
  });
}
void cross_entropy(const float* logits, const int32_t* targets, const float* weights, float scale,
                   float* loss, Buffer dlogits, int64_t N, int64_t V) {
  with_type(dlogits,
            [&](auto* t) { cross_entropy_rows(logits, targets, weights, scale, loss, t, N, V); });
}

}  // namespace HWY_NAMESPACE
}  // namespace malssi
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace malssi {
HWY_EXPORT(embed);
HWY_EXPORT(embed_backward);
HWY_EXPORT(rope);
HWY_EXPORT(cross_entropy);
namespace simd {
void embed(ConstBuffer table, const int32_t* ids, ConstBuffer position_table,
           const int32_t* positions, float* y, int64_t N, int64_t D) {
  HWY_DYNAMIC_DISPATCH(embed)(table, ids, position_table, positions, y, N, D);
}
void embed_backward(const float* dy, const int32_t* ids, float* dtable, int64_t N, int64_t D) {
  HWY_DYNAMIC_DISPATCH(embed_backward)(dy, ids, dtable, N, D);
}
void rope(Buffer x, const int32_t* positions, const float* cosines, const float* sines, int64_t N,
          int64_t heads, int64_t head_dim, int64_t row_width, bool back) {
  HWY_DYNAMIC_DISPATCH(rope)(x, positions, cosines, sines, N, heads, head_dim, row_width, back);
}
void cross_entropy(const float* logits, const int32_t* targets, const float* weights, float scale,
                   float* loss, Buffer dlogits, int64_t N, int64_t V) {
  HWY_DYNAMIC_DISPATCH(cross_entropy)(logits, targets, weights, scale, loss, dlogits, N, V);
}
}  // namespace simd
}  // namespace malssi
#endif
