#include "text/charsmap.h"

#include <cstring>

#include "base/error.h"
#include "text/utf8.h"

namespace malssi {
namespace {

// The parts of a unit.
bool has_leaf(uint32_t unit) { return (unit >> 8 & 1) != 0; }
uint32_t label(uint32_t unit) { return unit & (1u << 31 | 0xFF); }
uint32_t offset(uint32_t unit) { return (unit >> 10) << ((unit & (1u << 9)) >> 6); }

}  // namespace

Charsmap::Charsmap(std::string_view blob) {
  if (blob.empty()) return;
  uint32_t size = 0;
  REQUIRE(blob.size() >= sizeof(size), "character map: ", blob.size(), " bytes are too few");
  std::memcpy(&size, blob.data(), sizeof(size));
  blob.remove_prefix(sizeof(size));
  REQUIRE(size <= blob.size() && size % 4 == 0, "character map: its trie of ", size,
          " bytes does not fit into the ", blob.size(), " bytes there are");
  trie_.resize(size / 4);
  std::memcpy(trie_.data(), blob.data(), size);
  replacements_ = blob.substr(size);
}

uint32_t Charsmap::unit(uint64_t index) const {
  REQUIRE(index < trie_.size(), "character map: damaged, its trie points outside itself");
  return trie_[index];
}

Charsmap::Match Charsmap::longest(std::string_view text) const {
  Match best;
  uint32_t place = offset(unit(0));
  for (size_t i = 0; i < text.size() && text[i] != '\0'; ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    place ^= byte;
    if (place >= trie_.size() || label(trie_[place]) != byte) break;
    const bool leaf = has_leaf(trie_[place]);
    place ^= offset(trie_[place]);
    if (!leaf) continue;
    const uint32_t begin = unit(place) & ~(1u << 31);
    const size_t end =
        begin < replacements_.size() ? replacements_.find('\0', begin) : std::string::npos;
    REQUIRE(end != std::string::npos, "character map: damaged, a replacement has no end");
    best = {static_cast<int64_t>(i) + 1,
            std::string_view(replacements_).substr(begin, end - begin)};
  }
  return best;
}

std::string Charsmap::apply(std::string_view text) const {
  if (trie_.empty()) return std::string(text);
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Match match = longest(text);
    const auto length =
        static_cast<size_t>(match.length > 0 ? match.length : decode_utf8(text, 0).length);
    out += match.length > 0 ? match.replacement : text.substr(0, length);
    text.remove_prefix(length);
  }
  return out;
}

}  // namespace malssi
