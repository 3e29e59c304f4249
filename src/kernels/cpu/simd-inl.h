// Vector helpers for the kernels here: reading and writing f32 and bf16, exp, and loops with a
// remainder. Included once for each target by Highway's foreach_target, hence the toggled guard.
#if defined(MALSSI_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MALSSI_SIMD_INL_H_
#undef MALSSI_SIMD_INL_H_
#else
#define MALSSI_SIMD_INL_H_
#endif

#include "hwy/highway.h"
#include "kernels/table.h"

HWY_BEFORE_NAMESPACE();
namespace malssi {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Full = hn::ScalableTag<float>;
using One = hn::CappedTag<float, 1>;

template <class D>
HWY_INLINE hn::Vec<D> load(D d, const float* p) {
  return hn::LoadU(d, p);
}
template <class D>
HWY_INLINE hn::Vec<D> load([[maybe_unused]] D d, const bf16* p) {
  const hn::Rebind<uint16_t, D> d16;
  const hn::Rebind<uint32_t, D> d32;
  const auto bits = hn::PromoteTo(d32, hn::LoadU(d16, reinterpret_cast<const uint16_t*>(p)));
  return hn::BitCast(d, hn::ShiftLeft<16>(bits));
}
template <class D>
HWY_INLINE void store(hn::Vec<D> v, D d, float* p) {
  hn::StoreU(v, d, p);
}
template <class D>
HWY_INLINE void store(hn::Vec<D> v, D, bf16* p) {
  const hn::Rebind<uint16_t, D> d16;
  const hn::Rebind<int32_t, D> di;
  const hn::Rebind<uint32_t, D> d32;
  const auto bits = hn::BitCast(d32, v);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d32, 1));
  const auto rounded = hn::ShiftRight<16>(hn::Add(bits, hn::Add(odd, hn::Set(d32, 0x7fff))));
  const auto kept =
      hn::IfThenElse(hn::RebindMask(d32, hn::IsNaN(v)), hn::Set(d32, 0x7fc0), rounded);
  hn::StoreU(hn::DemoteTo(d16, hn::BitCast(di, kept)), d16, reinterpret_cast<uint16_t*>(p));
}

// Calls body(tag, i) for whole vectors of 0..n, then for the rest one at a time.
template <class Body>
HWY_INLINE void for_lanes(int64_t n, Body&& body) {
  const Full d;
  const auto L = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + L <= n; i += L) body(d, i);
  for (; i < n; ++i) body(One(), i);
}

// Sum of body(tag, i) over 0..n, in a fixed order.
template <class Body>
HWY_INLINE float sum_lanes(int64_t n, Body&& body) {
  const Full d;
  const auto L = static_cast<int64_t>(hn::Lanes(d));
  auto a = hn::Zero(d), b = hn::Zero(d);
  int64_t i = 0;
  for (; i + 2 * L <= n; i += 2 * L) {
    a = hn::Add(a, body(d, i));
    b = hn::Add(b, body(d, i + L));
  }
  for (; i + L <= n; i += L) a = hn::Add(a, body(d, i));
  float sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(a, b)));
  for (; i < n; ++i) sum += hn::GetLane(body(One(), i));
  return sum;
}

// e^x to about 2 units in the last place; x below -87 gives 0, above 88 about 3e38. (Polynomial:
// Moshier, Cephes expf.)
template <class D, class V = hn::Vec<D>>
HWY_INLINE V exp(D d, V x) {
  const hn::Rebind<int32_t, D> di;
  const V clamped = hn::Min(hn::Max(x, hn::Set(d, -87.3f)), hn::Set(d, 88.3f));
  const V n = hn::Round(hn::Mul(clamped, hn::Set(d, 1.44269504f)));
  const V r = hn::NegMulAdd(n, hn::Set(d, -2.12194440e-4f),
                            hn::NegMulAdd(n, hn::Set(d, 0.693359375f), clamped));
  V p = hn::Set(d, 1.9875691500e-4f);
  p = hn::MulAdd(p, r, hn::Set(d, 1.3981999507e-3f));
  p = hn::MulAdd(p, r, hn::Set(d, 8.3334519073e-3f));
  p = hn::MulAdd(p, r, hn::Set(d, 4.1665795894e-2f));
  p = hn::MulAdd(p, r, hn::Set(d, 1.6666665459e-1f));
  p = hn::MulAdd(p, r, hn::Set(d, 5.0000001201e-1f));
  p = hn::Add(hn::MulAdd(hn::Mul(p, r), r, r), hn::Set(d, 1.0f));
  const V power =
      hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(hn::ConvertTo(di, n), hn::Set(di, 127))));
  return hn::IfThenZeroElse(hn::Lt(x, hn::Set(d, -87.3f)), hn::Mul(p, power));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V sigmoid(D d, V x) {
  return hn::Div(hn::Set(d, 1.0f), hn::Add(hn::Set(d, 1.0f), exp(d, hn::Neg(x))));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V tanh(D d, V x) {
  const V e = exp(d, hn::Add(x, x));
  return hn::Sub(hn::Set(d, 1.0f), hn::Div(hn::Set(d, 2.0f), hn::Add(e, hn::Set(d, 1.0f))));
}

// dropout_hash(seed, first + lane).
template <class D>
HWY_INLINE hn::Vec<hn::Rebind<uint32_t, D>> random_bits(D, uint32_t first, uint32_t seed) {
  const hn::Rebind<uint32_t, D> du;
  auto x = hn::Xor(hn::Mul(hn::Iota(du, first), hn::Set(du, 0x9e3779b1u)), hn::Set(du, seed));
  x = hn::Mul(hn::Xor(x, hn::ShiftRight<16>(x)), hn::Set(du, 0x7feb352du));
  x = hn::Mul(hn::Xor(x, hn::ShiftRight<15>(x)), hn::Set(du, 0x846ca68bu));
  return hn::Xor(x, hn::ShiftRight<16>(x));
}

// 1 / (1 - rate) where element first + lane is kept, else 0. See dropout_hash.
template <class D>
HWY_INLINE hn::Vec<D> dropout_factor(D d, uint32_t first, uint32_t seed, uint32_t threshold,
                                     float keep_scale) {
  const auto x = hn::ShiftRight<8>(random_bits(d, first, seed));
  const auto drop = hn::Lt(hn::BitCast(hn::Rebind<int32_t, D>(), x),
                           hn::Set(hn::Rebind<int32_t, D>(), static_cast<int32_t>(threshold)));
  return hn::IfThenZeroElse(hn::RebindMask(d, drop), hn::Set(d, keep_scale));
}

}  // namespace HWY_NAMESPACE
}  // namespace malssi
HWY_AFTER_NAMESPACE();
#endif  // per-target guard
