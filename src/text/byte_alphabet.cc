#include "text/byte_alphabet.h"

#include "text/utf8.h"

namespace malssi {
namespace {

bool stands_for_itself(int32_t byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

struct Alphabet {
  std::array<int32_t, 256> character{};  // by byte
  std::array<int32_t, 512> byte{};       // by character, -1 none
  std::array<uint8_t, 256> order{};
};

const Alphabet& alphabet() {
  static const Alphabet built = [] {
    Alphabet a;
    a.byte.fill(-1);
    int32_t next = 0x100;
    size_t printable = 0, other = 188;
    for (int32_t byte = 0; byte < 256; ++byte) {
      const bool itself = stands_for_itself(byte);
      const int32_t character = itself ? byte : next++;
      a.character[static_cast<size_t>(byte)] = character;
      a.byte[static_cast<size_t>(character)] = byte;
      a.order[itself ? printable++ : other++] = static_cast<uint8_t>(byte);
    }
    return a;
  }();
  return built;
}

}  // namespace

const std::array<uint8_t, 256>& byte_alphabet_order() { return alphabet().order; }

std::string to_byte_alphabet(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) append_utf8(out, alphabet().character[static_cast<uint8_t>(byte)]);
  return out;
}

std::optional<std::string> from_byte_alphabet(std::string_view text) {
  std::string out;
  for (int64_t at = 0; at < static_cast<int64_t>(text.size());) {
    const CodePoint next = decode_utf8(text, at);
    if (next.value < 0 || next.value >= 512 || alphabet().byte[static_cast<size_t>(next.value)] < 0)
      return std::nullopt;
    out.push_back(static_cast<char>(alphabet().byte[static_cast<size_t>(next.value)]));
    at += next.length;
  }
  return out;
}

}  // namespace malssi
