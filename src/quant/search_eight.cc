#include "quant/search_eight.h"

#include <cstring>

namespace malssi {
namespace {

// The compiler makes of these what the machine has.
using Floats [[gnu::vector_size(32)]] = float;
using Ints [[gnu::vector_size(32)]] = int32_t;

struct Search {
  int n;
  float most;
  bool absolute;
  const Floats *x, *w;
  Floats lowest, highest, sum_w, sum_wx;  // of each run; the lowest is at most 0
};

[[gnu::always_inline]] inline void begin(Search& s) {
  s.lowest = s.highest = s.x[0];
  s.sum_w = s.w[0];
  s.sum_wx = s.w[0] * s.x[0];
  for (int i = 1; i < s.n; ++i) {
    s.lowest = s.x[i] < s.lowest ? s.x[i] : s.lowest;
    s.highest = s.x[i] > s.highest ? s.x[i] : s.highest;
    s.sum_w += s.w[i];
    s.sum_wx += s.w[i] * s.x[i];
  }
  s.lowest = s.lowest > 0 ? Floats{} : s.lowest;
}

struct Sums {
  Floats l, ll, xl;
};

[[gnu::always_inline]] inline void set_levels(const Search& s, float steps, const Floats& offset,
                                              Floats* levels, Sums& sums) {
  const Floats inverse = steps / (s.highest - offset);
  const Ints most = Ints{} + static_cast<int>(s.most);
  sums.l = sums.ll = sums.xl = Floats{};
  for (int i = 0; i < s.n; ++i) {
    const Floats shifted = inverse * (s.x[i] - offset) + 12582912.0f;  // as nearest_level() does
    Ints level;
    std::memcpy(&level, &shifted, sizeof(level));
    level = (level & 0x007fffff) - 0x00400000;
    level = level < 0 ? Ints{} : level;
    level = level > most ? most : level;
    const Floats l = __builtin_convertvector(level, Floats);
    levels[i] = l;
    const Floats wl = s.w[i] * l;
    sums.l += wl;
    sums.ll += wl * l;
    sums.xl += wl * s.x[i];
  }
}

[[gnu::always_inline]] inline void measure(const Search& s, const Floats* levels,
                                           const Floats& scale, const Floats& offset,
                                           Floats& error) {
  error = Floats{};
  for (int i = 0; i < s.n; ++i) {
    const Floats difference = scale * levels[i] + offset - s.x[i];
    const Floats magnitude = difference < 0 ? -difference : difference;
    error += s.w[i] * (s.absolute ? magnitude : difference * difference);
  }
}

}  // namespace

// On a processor with AVX2 the lanes fill one register; without fused multiply-adds in either.
[[gnu::target_clones("avx2", "default")]] void fit_affine_eight(int n, int most,
                                                                const AffineSearch& search,
                                                                EightRuns& runs) {
  Search s{.n = n,
           .most = static_cast<float>(most),
           .absolute = search.absolute,
           .x = reinterpret_cast<const Floats*>(runs.x),
           .w = reinterpret_cast<const Floats*>(runs.weights),
           .lowest = {},
           .highest = {},
           .sum_w = {},
           .sum_wx = {}};
  begin(s);
  auto* levels = reinterpret_cast<Floats*>(runs.levels);
  const Ints alive = s.highest > s.lowest;
  Floats offset = s.lowest, scale = 1 / (s.most / (s.highest - offset)), best, error;
  Floats tried[kLongestRun];
  Sums sums;
  set_levels(s, s.most, offset, levels, sums);
  measure(s, levels, scale, offset, best);
  for (int step = 0; step <= search.steps; ++step) {
    set_levels(s, search.first + search.step * static_cast<float>(step) + s.most, offset, tried,
               sums);
    const Floats determinant = s.sum_w * sums.ll - sums.l * sums.l;
    Floats new_scale = (s.sum_w * sums.xl - s.sum_wx * sums.l) / determinant;
    Floats new_offset = (sums.ll * s.sum_wx - sums.l * sums.xl) / determinant;
    const Ints above = new_offset > 0;
    new_scale = above ? sums.xl / sums.ll : new_scale;
    new_offset = above ? Floats{} : new_offset;
    measure(s, tried, new_scale, new_offset, error);
    const Ints better = (determinant > 0) & (error < best);
    for (int i = 0; i < n; ++i) levels[i] = better ? tried[i] : levels[i];
    best = better ? error : best;
    scale = better ? new_scale : scale;
    offset = better ? new_offset : offset;
  }
  for (int i = 0; i < n; ++i) levels[i] = alive ? levels[i] : Floats{};
  scale = alive ? scale : Floats{};
  offset = alive ? -offset : -s.lowest;
  std::memcpy(runs.scales, &scale, sizeof(scale));
  std::memcpy(runs.mins, &offset, sizeof(offset));
}

}  // namespace malssi
