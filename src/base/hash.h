// xxHash64 (Collet's published specification): quick, well spread, not cryptographic. It finds
// damaged files, not forged ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace malssi {

uint64_t hash64(std::span<const std::byte> bytes, uint64_t seed = 0);
uint64_t hash64(std::string_view text, uint64_t seed = 0);
// The same of (a part of) a mapped file, whose pages go back to the system as they have been read: memory does not fill with them.
uint64_t hash64_mapped(std::span<const std::byte> file, uint64_t seed = 0);
// 16 lower-case hexadecimal digits.
std::string hash_text(uint64_t hash);

}  // namespace malssi
