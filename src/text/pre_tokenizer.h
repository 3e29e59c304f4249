// How a tokenizer splits a normalised text into the pieces that its model never joins: the
// "pre_tokenizer" of a tokenizer.json, as a list of steps (ByteLevel, Split, Digits, Metaspace,
// BertPreTokenizer, Whitespace, WhitespaceSplit, Punctuation, CharDelimiterSplit, and Sequence of
// these). Each step splits every piece of the step before it. A piece may begin in the middle of a
// character where the text is no UTF-8.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/place.h"

namespace malssi {

class PreTokenizerStep {
 public:
  virtual ~PreTokenizerStep() = default;
  // Appends the pieces of `piece`.
  virtual void split(std::string_view piece, Place place, std::vector<std::string>& out) const = 0;
};

class PreTokenizerList {
 public:
  // Error: a step that is not supported, naming it and what is.
  static PreTokenizerList read(const Json& json, std::string_view where);

  bool empty() const { return steps_.empty(); }
  std::vector<std::string> split(std::string_view text, Place place) const;

 private:
  void add(const Json& json, const std::string& where);
  std::vector<std::shared_ptr<const PreTokenizerStep>> steps_;
};

// The split patterns (names or expressions) of a byte-level pre-tokenizer that does nothing but
// isolate matches: the kind that has a fast way of its own. Nothing for all others.
struct IsolatingPatterns {
  std::vector<std::string> patterns;
  bool prefix_space = false;
};
std::optional<IsolatingPatterns> isolating_patterns(const Json& json, std::string_view where);

}  // namespace malssi
