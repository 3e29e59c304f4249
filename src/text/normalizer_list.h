// What a tokenizer does to a text before it is split: the "normalizer" of a tokenizer.json, as a list
// of steps (NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, BertNormalizer, Prepend, Replace, Strip,
// Precompiled, and Sequence of these). Bytes that are not UTF-8 pass through every step.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace malssi {

class NormalizerStep {
 public:
  virtual ~NormalizerStep() = default;
  virtual std::string apply(std::string_view text) const = 0;
};

class NormalizerList {
 public:
  // Error: a step that is not supported, naming it and what is.
  static NormalizerList read(const Json& json, std::string_view where);

  bool empty() const { return steps_.empty(); }
  std::string apply(std::string_view text) const;
  // Those of the file, for example {"NFC"}.
  const std::vector<std::string>& names() const { return names_; }

 private:
  void add(const Json& json, const std::string& where);
  std::vector<std::shared_ptr<const NormalizerStep>> steps_;
  std::vector<std::string> names_;
};

}  // namespace malssi
