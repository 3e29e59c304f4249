// The single steps of a PreTokenizerList.
#pragma once

#include <functional>

#include "text/pre_tokenizer.h"
#include "text/regex.h"

namespace malssi {

// What becomes of the matches: they stand alone, are dropped, join the piece before or after them,
// or join each other.
enum class SplitBehavior { isolated, removed, merged_with_previous, merged_with_next, contiguous };
// Error: another name than Hugging Face's.
SplitBehavior split_behavior_named(std::string_view name, std::string_view where);

// By the matches of an expression, or, inverted, by what lies between them.
class SplitAtMatches : public PreTokenizerStep {
 public:
  struct Options {
    SplitBehavior behavior = SplitBehavior::isolated;
    bool invert = false;
  };
  SplitAtMatches(std::string_view expression, Options options)
      : regex_(expression), options_(options) {}
  void split(std::string_view piece, Place place, std::vector<std::string>& out) const override;

 private:
  Regex regex_;
  Options options_;
};

// By single characters.
class SplitAtCharacters : public PreTokenizerStep {
 public:
  using Test = bool (*)(int32_t);
  SplitAtCharacters(Test test, SplitBehavior behavior) : test_(test), behavior_(behavior) {}
  void split(std::string_view piece, Place place, std::vector<std::string>& out) const override;

 private:
  Test test_;
  SplitBehavior behavior_;
};

// SentencePiece's way: spaces become a visible character, which words begin with.
class Metaspace : public PreTokenizerStep {
 public:
  enum class Prepend { never, first, always };
  struct Options {
    std::string space = "\u2581";
    Prepend prepend = Prepend::always;
    bool split = true;
  };
  explicit Metaspace(Options options) : options_(std::move(options)) {}
  void split(std::string_view piece, Place place, std::vector<std::string>& out) const override;

 private:
  Options options_;
};

// Words by GPT-2's pattern (or whole), then bytes as characters of the byte alphabet.
class ByteLevelStep : public PreTokenizerStep {
 public:
  struct Options {
    bool prefix_space = true, split_words = true;
  };
  explicit ByteLevelStep(Options options);
  void split(std::string_view piece, Place place, std::vector<std::string>& out) const override;

 private:
  Options options_;
  std::shared_ptr<const PreTokenizerStep> words_;
};

}  // namespace malssi
