#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "serve/api/call_scanner.h"
#include "serve/api/tool_parameters.h"

namespace malssi {
namespace {

constexpr std::string_view kFunction = "<function=", kFunctionEnd = "</function>";
constexpr std::string_view kParameter = "<parameter=", kParameterEnd = "\n</parameter>";
constexpr size_t kLongestName = 256;

// The value of a parameter that is no text: JSON, or how Python's models write it, or else words.
std::string json_of(std::string_view value) {
  const size_t first = std::min(value.find_first_not_of(" \t\r\n"), value.size());
  value = value.substr(first, value.find_last_not_of(" \t\r\n") + 1 - first);
  if (value == "True") return "true";
  if (value == "False") return "false";
  if (value == "None") return "null";
  try {
    return dump_json(parse_json(value, "argument"));
  } catch (const Error&) {
    return dump_json(std::string(value));
  }
}

class TaggedCallScanner final : public CallScanner {
 public:
  explicit TaggedCallScanner(std::shared_ptr<const std::vector<Tool>> functions)
      : functions_(std::move(functions)) {}

 private:
  void take(char c) override {
    switch (place_) {
      case Place::tag:
        return in_tag(c);
      case Place::name:
        return in_name(c);
      case Place::value:
        return in_value(c);
    }
  }

  void in_tag(char c) {
    if (word_.empty() && (c == ' ' || c == '\n' || c == '\t' || c == '\r')) return;
    word_ += c;
    const bool is_named = !name().empty();
    const std::string_view begin = is_named ? kParameter : kFunction;
    if (word_ == begin) {
      word_.clear();
      place_ = Place::name;
    } else if (is_named && word_ == kFunctionEnd) {
      if (has_any_) add_arguments("}");
      end(State::done);
    } else if (!begin.starts_with(word_) && !(is_named && kFunctionEnd.starts_with(word_))) {
      end(State::broken);
    }
  }

  void in_name(char c) {
    if (c != '>') {
      word_ += c;
      if (word_.size() > kLongestName || c == '\n') end(State::broken);
      return;
    }
    if (word_.empty()) return end(State::broken);
    if (name().empty()) {
      call(word_);
      place_ = Place::tag;
    } else {
      begin_value();
    }
    word_.clear();
  }

  void begin_value() {
    is_text_ = functions_ && has_text_parameter(*functions_, name(), word_);
    add_arguments(concat(has_any_ ? ", " : "{", dump_json(word_), ": ", is_text_ ? "\"" : ""));
    has_any_ = at_start_ = true;
    place_ = Place::value;
  }

  // Holds back what may still become the closing tag. The line's end after the opening tag is no part of the value.
  void in_value(char c) {
    word_ += c;
    while (!kParameterEnd.starts_with(word_)) {
      if (!at_start_ || word_[0] != '\n') add_to_value(word_[0]);
      at_start_ = false;
      word_.erase(0, 1);
    }
    if (word_ != kParameterEnd) return;
    add_arguments(is_text_ ? "\"" : json_of(value_));
    word_.clear();
    value_.clear();
    place_ = Place::tag;
  }

  void add_to_value(char c) {
    if (!is_text_) {
      value_ += c;
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      add_arguments({&c, 1});
    } else {
      const std::string quoted = dump_json(std::string(1, c));
      add_arguments(std::string_view(quoted).substr(1, quoted.size() - 2));
    }
  }

  enum class Place { tag, name, value };
  std::shared_ptr<const std::vector<Tool>> functions_;
  Place place_ = Place::tag;
  std::string word_, value_;
  bool is_text_ = false, at_start_ = false;  // of the value
  bool has_any_ = false;                     // parameters
};

}  // namespace

std::unique_ptr<CallScanner> tagged_call_scanner(
    std::shared_ptr<const std::vector<Tool>> functions) {
  return std::make_unique<TaggedCallScanner>(std::move(functions));
}

}  // namespace malssi
