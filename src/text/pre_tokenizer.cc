#include "text/pre_tokenizer.h"

#include "base/error.h"
#include "text/split_steps.h"
#include "text/splitter.h"
#include "text/unicode.h"

namespace malssi {
namespace {

using Step = std::shared_ptr<const PreTokenizerStep>;

constexpr size_t kMaxSteps = 64;

bool is_number(int32_t value) { return char_class(value) == CharClass::number; }
bool is_space(int32_t value) { return char_class(value) == CharClass::space; }

std::string split_expression(const Json& json, const std::string& where) {
  const Json pattern = get<Json>(json, "pattern", where);
  REQUIRE(pattern.is_object(), where, ".pattern: expected {\"String\": ...} or {\"Regex\": ...}");
  if (pattern.contains("Regex")) return get<std::string>(pattern, "Regex", where + ".pattern");
  return quote_regex(get<std::string>(pattern, "String", where + ".pattern"));
}

Step read_metaspace(const Json& json, const std::string& where) {
  const bool prefix = get_or<bool>(json, "add_prefix_space", true, where);
  const auto scheme =
      get_or<std::string>(json, "prepend_scheme", prefix ? "always" : "never", where);
  const bool known = scheme == "always" || scheme == "never" || scheme == "first";
  REQUIRE(known, where, ".prepend_scheme: '", scheme, "', expected always, first or never");
  Metaspace::Options options{.space = get_or<std::string>(json, "replacement", "\u2581", where),
                             .split = get_or<bool>(json, "split", true, where)};
  REQUIRE(!options.space.empty(), where, ".replacement: empty");
  options.prepend = scheme == "always"  ? Metaspace::Prepend::always
                    : scheme == "first" ? Metaspace::Prepend::first
                                        : Metaspace::Prepend::never;
  return std::make_shared<Metaspace>(std::move(options));
}

Step read_split(const Json& json, const std::string& where) {
  return std::make_shared<SplitAtMatches>(
      split_expression(json, where),
      SplitAtMatches::Options{
          .behavior = split_behavior_named(get<std::string>(json, "behavior", where), where),
          .invert = get_or<bool>(json, "invert", false, where)});
}

Step read_step(const Json& json, const std::string& type, const std::string& where) {
  using enum SplitBehavior;
  if (type == "ByteLevel")
    return std::make_shared<ByteLevelStep>(
        ByteLevelStep::Options{.prefix_space = get_or<bool>(json, "add_prefix_space", true, where),
                               .split_words = get_or<bool>(json, "use_regex", true, where)});
  if (type == "Split") return read_split(json, where);
  if (type == "Metaspace") return read_metaspace(json, where);
  if (type == "Digits")
    return std::make_shared<SplitAtCharacters>(
        is_number, get_or<bool>(json, "individual_digits", false, where) ? isolated : contiguous);
  if (type == "Punctuation")
    return std::make_shared<SplitAtCharacters>(
        is_punctuation,
        split_behavior_named(get_or<std::string>(json, "behavior", "Isolated", where), where));
  if (type == "WhitespaceSplit") return std::make_shared<SplitAtCharacters>(is_space, removed);
  if (type == "CharDelimiterSplit")
    return std::make_shared<SplitAtMatches>(quote_regex(get<std::string>(json, "delimiter", where)),
                                            SplitAtMatches::Options{.behavior = removed});
  REQUIRE(type == "Whitespace", where, ": pre-tokenizer '", type,
          "' is not supported (supported: ByteLevel, Split, Digits, Metaspace, BertPreTokenizer, "
          "Whitespace, WhitespaceSplit, Punctuation, CharDelimiterSplit, Sequence)");
  // The words of Rust's engine, which are not those of a Split.
  constexpr std::string_view kWord = R"(\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\x{200C}\x{200D})";
  return std::make_shared<SplitAtMatches>(
      concat('[', kWord, "]+|[^", kWord, "\\s]+"),
      SplitAtMatches::Options{.behavior = removed, .invert = true});
}

// Adds the patterns of a pre-tokenizer; false where it is not of the isolating kind. ByteLevel must
// come last: what follows it would see bytes.
bool add_isolating(const Json& json, const std::string& where, bool& byte_level,
                   IsolatingPatterns& out) {
  const auto type = get<std::string>(json, "type", where);
  if (type == "Sequence") {
    const Json list = get<Json>(json, "pretokenizers", where);
    if (!list.is_array()) return false;
    for (const Json& item : list)
      if (!add_isolating(item, where, byte_level, out)) return false;
    return true;
  }
  if (byte_level) return false;
  if (type == "ByteLevel") {
    byte_level = true;
    out.prefix_space = get_or<bool>(json, "add_prefix_space", true, where);
    const bool first = out.patterns.empty();  // else every piece would get its space
    if (get_or<bool>(json, "use_regex", true, where)) out.patterns.push_back("gpt2");
    return !out.prefix_space || first;
  }
  if (type == "Split") {
    out.patterns.push_back(split_expression(json, where));
    const auto behavior = get<std::string>(json, "behavior", where);
    // A published pattern matches everything, so that removing the gaps removes nothing.
    const bool whole = pattern_name(out.patterns.back()) != out.patterns.back();
    return behavior == "Isolated" ||
           (behavior == "Removed" && get_or<bool>(json, "invert", false, where) && whole);
  }
  const bool digits = type == "Digits";
  if (digits)
    out.patterns.push_back(get_or<bool>(json, "individual_digits", false, where) ? "\\p{N}"
                                                                                 : "\\p{N}+");
  return digits;
}

}  // namespace

void PreTokenizerList::add(const Json& json, const std::string& where) {
  const auto type = get<std::string>(json, "type", where);
  if (type == "Sequence") {
    const Json list = get<Json>(json, "pretokenizers", where);
    REQUIRE(list.is_array(), where, ".pretokenizers: expected a list");
    for (const Json& item : list) add(item, where + ".pretokenizers");
  } else if (type == "BertPreTokenizer") {
    steps_.push_back(std::make_shared<SplitAtCharacters>(is_space, SplitBehavior::removed));
    steps_.push_back(std::make_shared<SplitAtCharacters>(is_punctuation, SplitBehavior::isolated));
  } else {
    steps_.push_back(read_step(json, type, where));
  }
  REQUIRE(steps_.size() <= kMaxSteps, where, ": more than ", kMaxSteps, " pre-tokenizers");
}

PreTokenizerList PreTokenizerList::read(const Json& json, std::string_view where) {
  PreTokenizerList list;
  if (!json.is_null()) list.add(json, concat(where, ": pre_tokenizer"));
  return list;
}

std::vector<std::string> PreTokenizerList::split(std::string_view text, Place place) const {
  std::vector<std::string> pieces = {std::string(text)}, next;
  for (const auto& step : steps_) {
    next.clear();
    for (size_t i = 0; i < pieces.size(); ++i)
      step->split(pieces[i], i == 0 ? place : Place::inside, next);
    pieces.swap(next);
  }
  return pieces;
}

std::optional<IsolatingPatterns> isolating_patterns(const Json& json, std::string_view where) {
  IsolatingPatterns out;
  bool byte_level = false;
  if (json.is_null() || !add_isolating(json, concat(where, ": pre_tokenizer"), byte_level, out) ||
      !byte_level)
    return std::nullopt;
  return out;
}

}  // namespace malssi
