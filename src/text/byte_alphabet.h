// GPT-2's way to write bytes as printable characters in vocabulary files: the 188 printable ones
// stand for themselves, the others for U+0100, U+0101, ... in order.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace malssi {

// The bytes in the order of their characters: the ids 0..255 of GPT-2's vocabulary.
const std::array<uint8_t, 256>& byte_alphabet_order();
std::string to_byte_alphabet(std::string_view bytes);
// Nothing where a character stands for no byte.
std::optional<std::string> from_byte_alphabet(std::string_view text);

}  // namespace malssi
