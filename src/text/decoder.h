// How tokens become text again: the "decoder" of a tokenizer.json (ByteLevel, ByteFallback, Replace,
// Strip, Fuse, Metaspace, WordPiece, and Sequence of these). All of these but a Strip behind a Fuse
// look at one token alone, so every token has its bytes once and for all, and decoding is joining.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace malssi {

class Decoder {
 public:
  // Error: a step that is not supported, naming it and what is.
  static Decoder read(const Json& json, std::string_view where);

  // The bytes of a token inside a text, from its spelling in the file.
  std::string bytes(std::string_view spelling) const;
  // What a whole text loses at its start, and how many times at most.
  const std::string& strip() const { return strip_; }
  int64_t strip_count() const { return strip_count_; }
  bool separates_words() const { return separates_words_; }  // WordPiece puts spaces

 private:
  void add(const Json& json, const std::string& where);

  std::vector<std::function<std::string(std::string_view)>> steps_;
  std::string strip_ = " ";
  int64_t strip_count_ = 0;
  bool fused_ = false, separates_words_ = false;
};

}  // namespace malssi
