// What stands for a character that a vocabulary lacks: its bytes, or the unknown token.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/vocabulary.h"

namespace malssi {

// How a byte token is written in a file: "<0x0A>"; nothing for other texts.
std::string byte_token_name(uint8_t byte);
std::optional<uint8_t> byte_of_token_name(std::string_view name);

class Unknown {
 public:
  struct Options {
    int32_t unknown_id = -1;
    bool byte_fallback = false;
    bool fuse = false;  // neighbours become one unknown token
  };
  // Byte tokens are looked up by name.
  Unknown(const Vocabulary& spellings, Options options);
  // Appends what stands for these bytes; it may join an unknown token from place `first` on. Error:
  // nothing can.
  void append(std::string_view bytes, size_t first, std::vector<int32_t>& out) const;
  bool has_bytes() const { return has_bytes_; }
  int32_t id() const { return options_.unknown_id; }

 private:
  Options options_;
  std::array<int32_t, 256> byte_ids_;
  bool has_bytes_;
};

}  // namespace malssi
