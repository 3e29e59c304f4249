// Attention of one new token over a cache of keys and values: limited by reading the cache.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/attention_cached.cc"
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

template <class T>
void one_head(const float* q, const T* keys, const T* values, int64_t length, int64_t head_dim,
              float scale, float* score, float* out) {
  float top = -INFINITY;
  for (int64_t j = 0; j < length; ++j) {
    const T* key = keys + j * head_dim;
    score[j] = scale * sum_lanes(head_dim, [&](auto d, int64_t i) {
                 return hn::Mul(load(d, q + i), load(d, key + i));
               });
    top = std::max(top, score[j]);
  }
  const float sum = sum_lanes(length, [&](auto d, int64_t i) {
    const auto e = exp(d, hn::Sub(load(d, score + i), hn::Set(d, top)));
    store(e, d, score + i);
    return e;
  });
  for_lanes(head_dim, [&](auto d, int64_t i) {
    auto value = hn::Zero(d);
    for (int64_t j = 0; j < length; ++j)
      value = hn::MulAdd(hn::Set(d, score[j]), load(d, values + j * head_dim + i), value);
    store(hn::Mul(value, hn::Set(d, 1 / sum)), d, out + i);
  });
}

void attention_cached(const CachedHeads& heads, const float* q, const void* keys_data,
                      const void* values_data, int64_t length, float* out) {
  with_type(ConstBuffer{keys_data, heads.cache_dtype}, [&](auto* keys) {
    const auto* values = static_cast<decltype(keys)>(values_data);
    const int64_t grain =
        std::max<int64_t>(1, 131072 / std::max<int64_t>(1, length * heads.head_dim));
    parallel_for(heads.heads, grain, [&](int64_t begin, int64_t end) {
      thread_local std::vector<float> score;
      if (static_cast<int64_t>(score.size()) < length)
        score.resize(static_cast<size_t>(length + length / 2));
      for (int64_t h = begin; h < end; ++h) {
        const int64_t base = h / (heads.heads / heads.kv_heads) * heads.head_stride;
        one_head(q + h * heads.head_dim, keys + base, values + base, length, heads.head_dim,
                 heads.scale, score.data(), out + h * heads.head_dim);
      }
    });
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace malssi
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace malssi {
HWY_EXPORT(attention_cached);
namespace simd {
void attention_cached(const CachedHeads& heads, const float* q, const void* keys,
                      const void* values, int64_t length, float* out) {
  HWY_DYNAMIC_DISPATCH(attention_cached)(heads, q, keys, values, length, out);
}
}  // namespace simd
}  // namespace malssi
#endif
