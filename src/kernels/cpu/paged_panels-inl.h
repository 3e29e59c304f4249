// A page of the KV cache as the panels that block products read: as it lies, or unpacked.
#if defined(MALSSI_PAGED_PANELS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MALSSI_PAGED_PANELS_INL_H_
#undef MALSSI_PAGED_PANELS_INL_H_
#else
#define MALSSI_PAGED_PANELS_INL_H_
#endif

#include "kernels/cpu/block_product-inl.h"
#include "kernels/cpu/scratch.h"

HWY_BEFORE_NAMESPACE();
namespace malssi {
namespace HWY_NAMESPACE {

HWY_INLINE const float* widen_halves(const void* halves, int64_t n, float* to) {
  const Full d;
  const hn::Rebind<hwy::float16_t, Full> half;
  const auto* const from = static_cast<const hwy::float16_t*>(halves);
  for (int64_t i = 0; i < n; i += static_cast<int64_t>(Lanes(d)))
    store(hn::PromoteTo(d, hn::LoadU(half, from + i)), d, to + i);
  return to;
}

HWY_INLINE void scale_levels(const ScaledLevels& from, bf16* to) {
  if (cpu_features().avx512_bf16) return scale_levels_avx512_bf16(from, to);
  const Full d;
  const hn::Rebind<int8_t, Full> d8;
  const hn::Rebind<int32_t, Full> d32;
  for (int64_t unit = 0; unit < from.units; ++unit)
    for (int64_t i = 0; i < kScaledUnit; i += static_cast<int64_t>(Lanes(d))) {
      const int64_t at = unit * kScaledUnit + i;
      const auto level = hn::ConvertTo(d, hn::PromoteTo(d32, hn::LoadU(d8, from.levels + at)));
      store(hn::Mul(level, load(d, from.scales + unit * from.step + i)), d, to + at);
    }
}

// Rows of 16 levels, each with the same 16 scales (step 0), or with one of its own, those of rows `step` apart.
HWY_INLINE void scale_rows(const int8_t* levels, const float* scales, int64_t rows, int64_t step,
                           float* to) {
  const Full d;
  const hn::Rebind<int8_t, Full> d8;
  const hn::Rebind<int32_t, Full> d32;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t i = 0; i < kPanel; i += static_cast<int64_t>(Lanes(d))) {
      const int64_t at = row * kPanel + i;
      const auto level = hn::ConvertTo(d, hn::PromoteTo(d32, hn::LoadU(d8, levels + at)));
      const auto scale = step == 0 ? load(d, scales + i) : hn::Set(d, scales[row * step]);
      store(hn::Mul(level, scale), d, to + at);
    }
}

// Of a head's page; `room` has head_elements(), for where they must be unpacked.
HWY_INLINE const float* key_panels(const PagedLayer& layer, int64_t page, int64_t head,
                                   float* room) {
  char* const from = layer.head_keys(page, head);
  if (layer.dtype == DType::f32) return reinterpret_cast<const float*>(from);
  if (layer.dtype == DType::f16) return widen_halves(from, layer.head_elements(), room);
  HWY_ALIGN float scales[kPageTokens];
  for (int64_t block = 0; block < layer.padded_dim(); block += PagedLayer::kBlock) {
    widen_halves(layer.scales(from) + PagedLayer::scale_at(0, block), kPageTokens, scales);
    for (int64_t token = 0; token < kPageTokens; token += kPanel) {
      const int64_t at = layer.key_at(token, block);
      scale_rows(reinterpret_cast<const int8_t*>(from) + at, scales + token, PagedLayer::kBlock, 0,
                 room + at);
    }
  }
  return room;
}

HWY_INLINE const float* value_panels(const PagedLayer& layer, int64_t page, int64_t head,
                                     float* room) {
  char* const from = layer.head_values(page, head);
  if (layer.dtype == DType::f32) return reinterpret_cast<const float*>(from);
  if (layer.dtype == DType::f16) return widen_halves(from, layer.head_elements(), room);
  HWY_ALIGN float scales[kPageTokens];
  for (int64_t block = 0; block < layer.padded_dim(); block += PagedLayer::kBlock) {
    widen_halves(layer.scales(from) + PagedLayer::scale_at(0, block), kPageTokens, scales);
    for (int64_t first = block; first < block + PagedLayer::kBlock; first += kPanel) {
      const int64_t at = layer.value_at(0, first);
      scale_rows(reinterpret_cast<const int8_t*>(from) + at, scales, kPageTokens, 1, room + at);
    }
  }
  return room;
}

// A panel has 16 tokens, whose scales hold for 32 numbers of each: for 16 units of 16 tokens by 2 numbers.
HWY_INLINE const bf16* key_panels(const PagedLayer& layer, int64_t page, int64_t head, bf16* room) {
  char* const from = layer.head_keys(page, head);
  if (layer.dtype == DType::bf16) return reinterpret_cast<const bf16*>(from);
  const int64_t padded = layer.padded_dim();
  constexpr int64_t kUnits = PagedLayer::kBlock / 2;
  HWY_ALIGN float singles[kPageTokens], pairs[kScaledUnit];
  for (int64_t block = 0; block < padded; block += PagedLayer::kBlock) {
    widen_halves(layer.scales(from) + PagedLayer::scale_at(0, block), kPageTokens, singles);
    for (int64_t token = 0; token < kPageTokens; token += kPanel) {
      for (int64_t i = 0; i < kScaledUnit; ++i) pairs[i] = singles[token + i / 2];
      const int64_t at = layer.key_at(token, block);
      const auto* levels = reinterpret_cast<const int8_t*>(from) + at;
      scale_levels({.levels = levels, .scales = pairs, .units = kUnits, .step = 0}, room + at);
    }
  }
  return room;
}

// A panel has 16 numbers of all tokens, in units of 16 numbers by 2 tokens; each unit has its scales.
HWY_INLINE const bf16* value_panels(const PagedLayer& layer, int64_t page, int64_t head,
                                    bf16* room) {
  char* const from = layer.head_values(page, head);
  if (layer.dtype == DType::bf16) return reinterpret_cast<const bf16*>(from);
  const int64_t padded = layer.padded_dim();
  constexpr int64_t kUnits = kPageTokens / 2;
  HWY_ALIGN float singles[kPageTokens], pairs[kUnits * kScaledUnit];
  for (int64_t block = 0; block < padded; block += PagedLayer::kBlock) {
    widen_halves(layer.scales(from) + PagedLayer::scale_at(0, block), kPageTokens, singles);
    for (int64_t i = 0; i < kUnits * kScaledUnit; ++i)
      pairs[i] = singles[i / kScaledUnit * 2 + i % 2];
    for (int64_t first = block; first < block + PagedLayer::kBlock; first += kPanel) {
      const int64_t at = layer.value_at(0, first);
      const auto* levels = reinterpret_cast<const int8_t*>(from) + at;
      scale_levels({.levels = levels, .scales = pairs, .units = kUnits, .step = kScaledUnit},
                   room + at);
    }
  }
  return room;
}

}  // namespace HWY_NAMESPACE
}  // namespace malssi
HWY_AFTER_NAMESPACE();
#endif  // per-target guard
