#include "base/hash.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace malssi {
namespace {

static_assert(std::endian::native == std::endian::little, "file formats here are little-endian");

constexpr uint64_t kPrime1 = 0x9E3779B185EBCA87u;
constexpr uint64_t kPrime2 = 0xC2B2AE3D27D4EB4Fu;
constexpr uint64_t kPrime3 = 0x165667B19E3779F9u;
constexpr uint64_t kPrime4 = 0x85EBCA77C2B2AE63u;
constexpr uint64_t kPrime5 = 0x27D4EB2F165667C5u;
constexpr int64_t kStripe = 32;  // four lanes of eight bytes
constexpr int64_t kPiece = int64_t{4} << 20;

template <class T>
T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

uint64_t mix_lane(uint64_t lane, uint64_t input) {
  return std::rotl(lane + input * kPrime2, 31) * kPrime1;
}

uint64_t fold_lane(uint64_t hash, uint64_t lane) {
  return (hash ^ mix_lane(0, lane)) * kPrime1 + kPrime4;
}

uint64_t avalanche(uint64_t hash) {
  hash = (hash ^ (hash >> 33)) * kPrime2;
  hash = (hash ^ (hash >> 29)) * kPrime3;
  return hash ^ (hash >> 32);
}

// Consumes whole stripes and leaves `at` behind them; read(begin, end) hears of each piece.
template <class Read>
uint64_t hash_stripes(const std::byte*& at, const std::byte* end, uint64_t seed, Read&& read) {
  uint64_t a = seed + kPrime1 + kPrime2, b = seed + kPrime2, c = seed, d = seed - kPrime1;
  while (end - at >= kStripe) {
    const std::byte* const begin = at;
    const std::byte* const stop = at + std::min<int64_t>(kPiece, (end - at) / kStripe * kStripe);
    for (; at != stop; at += kStripe) {
      a = mix_lane(a, load<uint64_t>(at));
      b = mix_lane(b, load<uint64_t>(at + 8));
      c = mix_lane(c, load<uint64_t>(at + 16));
      d = mix_lane(d, load<uint64_t>(at + 24));
    }
    read(begin, stop);
  }
  uint64_t hash = std::rotl(a, 1) + std::rotl(b, 7) + std::rotl(c, 12) + std::rotl(d, 18);
  for (const uint64_t lane : {a, b, c, d}) hash = fold_lane(hash, lane);
  return hash;
}

template <class Read>
uint64_t hash_of(std::span<const std::byte> bytes, uint64_t seed, Read&& read) {
  const std::byte* at = bytes.data();
  const std::byte* const end = at + bytes.size();
  uint64_t hash = end - at >= kStripe ? hash_stripes(at, end, seed, read) : seed + kPrime5;
  hash += static_cast<uint64_t>(bytes.size());
  for (; end - at >= 8; at += 8)
    hash = std::rotl(hash ^ mix_lane(0, load<uint64_t>(at)), 27) * kPrime1 + kPrime4;
  for (; end - at >= 4; at += 4)
    hash = std::rotl(hash ^ (load<uint32_t>(at) * kPrime1), 23) * kPrime2 + kPrime3;
  for (; at != end; ++at)
    hash = std::rotl(hash ^ (static_cast<uint64_t>(*at) * kPrime5), 11) * kPrime1;
  return avalanche(hash);
}

}  // namespace

uint64_t hash64(std::span<const std::byte> bytes, uint64_t seed) {
  return hash_of(bytes, seed, [](const std::byte*, const std::byte*) {});
}

uint64_t hash64_mapped(std::span<const std::byte> file, uint64_t seed) {
  return hash_of(file, seed, [](const std::byte* begin, const std::byte* end) {
    constexpr uintptr_t kPage = 4096;  // the system takes whole pages only
    const uintptr_t from = reinterpret_cast<uintptr_t>(begin) / kPage * kPage;
    ::madvise(reinterpret_cast<void*>(from), reinterpret_cast<uintptr_t>(end) - from,
              MADV_DONTNEED);
  });
}

uint64_t hash64(std::string_view text, uint64_t seed) {
  return hash64(std::as_bytes(std::span(text.data(), text.size())), seed);
}

std::string hash_text(uint64_t hash) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(16, '0');
  for (int i = 15; i >= 0; --i, hash >>= 4) text[static_cast<size_t>(i)] = kDigits[hash & 15];
  return text;
}

}  // namespace malssi
