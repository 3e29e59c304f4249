#include "text/unknown.h"

#include <cstdio>

#include "base/error.h"
#include "text/utf8.h"

namespace malssi {
namespace {

std::string hex(const char* format, int value) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

}  // namespace

std::string byte_token_name(uint8_t byte) { return hex("<0x%02X>", byte); }

std::optional<uint8_t> byte_of_token_name(std::string_view name) {
  for (int byte = 0; name.size() == 6 && name.starts_with("<0x") && byte < 256; ++byte)
    if (name == byte_token_name(static_cast<uint8_t>(byte))) return static_cast<uint8_t>(byte);
  return std::nullopt;
}

Unknown::Unknown(const Vocabulary& spellings, Options options)
    : options_(options), has_bytes_(options.byte_fallback) {
  for (size_t byte = 0; byte < 256; ++byte) {
    byte_ids_[byte] = spellings.find(byte_token_name(static_cast<uint8_t>(byte))).value_or(-1);
    has_bytes_ = has_bytes_ && byte_ids_[byte] >= 0;
  }
}

void Unknown::append(std::string_view bytes, size_t first, std::vector<int32_t>& out) const {
  if (has_bytes_) {
    for (const char byte : bytes) out.push_back(byte_ids_[static_cast<uint8_t>(byte)]);
    return;
  }
  const int32_t value = decode_utf8(bytes, 0).value;
  REQUIRE(options_.unknown_id >= 0, "tokenizer: the vocabulary has neither ",
          value < 0 ? concat("the byte ", hex("0x%02X", static_cast<uint8_t>(bytes[0])))
                    : concat("'", bytes, "' (", hex("U+%04X", value), ")"),
          " nor byte tokens nor an unknown token");
  const bool joins = options_.fuse && out.size() > first && out.back() == options_.unknown_id;
  if (!joins) out.push_back(options_.unknown_id);
}

}  // namespace malssi
