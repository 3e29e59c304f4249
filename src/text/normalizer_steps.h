// The single steps of a NormalizerList.
#pragma once

#include "text/charsmap.h"
#include "text/normalizer.h"
#include "text/normalizer_list.h"
#include "text/regex.h"

namespace malssi {

// No real normalizer makes a text many times as long; hostile ones would fill the memory. Throws Error.
void check_growth(size_t before, size_t after);

class UnicodeForm : public NormalizerStep {
 public:
  explicit UnicodeForm(Normalization form) : form_(form) {}
  std::string apply(std::string_view text) const override { return normalize(text, form_); }

 private:
  Normalization form_;
};

class LowerCase : public NormalizerStep {
 public:
  std::string apply(std::string_view text) const override;
};

// Leaves out all marks (of a text that was decomposed before).
class StripAccents : public NormalizerStep {
 public:
  std::string apply(std::string_view text) const override;
};

// Devlin et al. 2018: control characters go, every white space becomes a space, ideographs stand
// alone, accents go, capitals become small letters.
class BertNormalizer : public NormalizerStep {
 public:
  struct Options {
    bool clean = true, separate_ideographs = true, strip_accents = true, lower_case = true;
  };
  explicit BertNormalizer(Options options) : options_(options) {}
  std::string apply(std::string_view text) const override;

 private:
  Options options_;
};

// Puts something before every text that is not empty.
class PrependText : public NormalizerStep {
 public:
  explicit PrependText(std::string before) : before_(std::move(before)) {}
  std::string apply(std::string_view text) const override {
    return text.empty() ? std::string() : before_ + std::string(text);
  }

 private:
  std::string before_;
};

// Replaces every place where a text stands (any bytes).
class ReplaceText : public NormalizerStep {
 public:
  ReplaceText(std::string what, std::string with)
      : what_(std::move(what)), with_(std::move(with)) {}
  std::string apply(std::string_view text) const override;

 private:
  std::string what_, with_;
};

class ReplaceMatches : public NormalizerStep {
 public:
  ReplaceMatches(std::string_view expression, std::string with)
      : regex_(expression), with_(std::move(with)) {}
  std::string apply(std::string_view text) const override;

 private:
  Regex regex_;
  std::string with_;
};

// Takes white space away from the ends.
class StripSpace : public NormalizerStep {
 public:
  struct Options {
    bool left = true, right = true;
  };
  explicit StripSpace(Options options) : options_(options) {}
  std::string apply(std::string_view text) const override;

 private:
  Options options_;
};

class ApplyCharsmap : public NormalizerStep {
 public:
  explicit ApplyCharsmap(std::string_view blob) : map_(blob) {}
  std::string apply(std::string_view text) const override { return map_.apply(text); }

 private:
  Charsmap map_;
};

}  // namespace malssi
