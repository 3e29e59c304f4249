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

// nearest_level() of each, in whole numbers.
[[gnu::always_inline]] inline void round_levels(const Floats& x, Ints& level) {
  const Floats shifted = x + 12582912.0f;
  std::memcpy(&level, &shifted, sizeof(level));
  level = (level & 0x007fffff) - 0x00400000;
}

[[gnu::always_inline]] inline void set_levels(const Search& s, float steps, const Floats& offset,
                                              Floats* levels, Sums& sums) {
  const Floats inverse = steps / (s.highest - offset);
  const Ints most = Ints{} + static_cast<int>(s.most);
  sums.l = sums.ll = sums.xl = Floats{};
  for (int i = 0; i < s.n; ++i) {
    Ints level;
    round_levels(inverse * (s.x[i] - offset), level);
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

// Levels around zero, and their sums.
[[gnu::always_inline]] inline void set_symmetric_levels(int n, int half, const Floats& inverse,
                                                        const Floats* x, const Floats* w,
                                                        Floats* levels, Sums& sums) {
  const Ints least = Ints{} - half, most = Ints{} + (half - 1);
  sums.ll = sums.xl = Floats{};
  for (int i = 0; i < n; ++i) {
    Ints level;
    round_levels(inverse * x[i], level);
    level = level < least ? least : level;
    level = level > most ? most : level;
    const Floats l = __builtin_convertvector(level, Floats);
    levels[i] = l;
    sums.xl += w[i] * x[i] * l;
    sums.ll += w[i] * l * l;
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

[[gnu::target_clones("avx2", "default")]] void fit_symmetric_eight(int n, int half,
                                                                   EightRuns& runs) {
  const auto* x = reinterpret_cast<const Floats*>(runs.x);
  const auto* w = reinterpret_cast<const Floats*>(runs.weights);
  auto* levels = reinterpret_cast<Floats*>(runs.levels);
  Floats largest{}, magnitude{};
  for (int i = 0; i < n; ++i) {
    const Floats size = x[i] < 0 ? -x[i] : x[i];
    largest = size > magnitude ? x[i] : largest;
    magnitude = size > magnitude ? size : magnitude;
  }
  const Ints alive = magnitude >= kAllZero;
  const auto levels_below = static_cast<float>(half);
  Floats tried[kLongestRun];
  Sums sums;
  set_symmetric_levels(n, half, -levels_below / largest, x, w, levels, sums);
  Floats scale = sums.ll != 0 ? sums.xl / sums.ll : Floats{};
  Floats best = scale * sums.xl;
  for (int step = -9; step <= 9; ++step) {
    if (step == 0) continue;
    const float steps = -(levels_below + 0.1f * static_cast<float>(step));
    set_symmetric_levels(n, half, steps / largest, x, w, tried, sums);
    const Ints better = (sums.ll > 0) & (sums.xl * sums.xl > best * sums.ll);
    for (int i = 0; i < n; ++i) levels[i] = better ? tried[i] : levels[i];
    scale = better ? sums.xl / sums.ll : scale;
    best = better ? scale * sums.xl : best;
  }
  for (int i = 0; i < n; ++i) levels[i] = alive ? levels[i] + levels_below : Floats{};
  scale = alive ? scale : Floats{};
  std::memcpy(runs.scales, &scale, sizeof(scale));
}

}  // namespace malssi
