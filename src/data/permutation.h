// A shuffled order of 0 .. n - 1 that needs no memory: any place of it can be asked for.
#pragma once

#include <bit>
#include <cstdint>

#include "base/random.h"

namespace malssi {

// Feistel network (Luby, Rackoff 1988) over the next power of four, walked until the value lies
// below n (Black, Rogaway 2002, section 4).
class Permutation {
 public:
  Permutation(int64_t n, uint64_t seed)
      : n_(static_cast<uint64_t>(n)), half_((std::bit_width(n_ > 0 ? n_ - 1 : 0) + 1) / 2) {
    for (uint64_t& key : keys_) key = seed = splitmix64(seed);
  }

  // 0 <= i < n.
  int64_t operator()(int64_t i) const {
    uint64_t x = static_cast<uint64_t>(i);
    do x = mix(x);
    while (x >= n_);
    return static_cast<int64_t>(x);
  }

 private:
  uint64_t mix(uint64_t x) const {
    const uint64_t mask = (uint64_t{1} << half_) - 1;
    uint64_t left = x >> half_, right = x & mask;
    for (const uint64_t key : keys_) {
      const uint64_t next = left ^ (splitmix64(right ^ key) & mask);
      left = right;
      right = next;
    }
    return left << half_ | right;
  }

  uint64_t n_;
  int half_;  // bits of each half
  uint64_t keys_[6];
};

}  // namespace malssi
