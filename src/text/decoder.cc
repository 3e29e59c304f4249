#include "text/decoder.h"

#include <array>

#include "base/error.h"
#include "text/byte_alphabet.h"
#include "text/normalizer_steps.h"
#include "text/unknown.h"

namespace malssi {
namespace {

constexpr int64_t kMaxStrip = 1024;
constexpr size_t kMaxSteps = 64;

std::string byte_level(std::string_view token) {
  return from_byte_alphabet(token).value_or(std::string(token));
}

std::string byte_fallback(std::string_view token) {
  if (const auto byte = byte_of_token_name(token)) return std::string(1, static_cast<char>(*byte));
  return std::string(token);
}

// English text as BERT's users expect it: no space before marks and contractions.
std::string clean_up(std::string text) {
  constexpr std::array<std::array<std::string_view, 2>, 11> kPairs = {{{" .", "."},
                                                                       {" ?", "?"},
                                                                       {" !", "!"},
                                                                       {" ,", ","},
                                                                       {" ' ", "'"},
                                                                       {" n't", "n't"},
                                                                       {" 'm", "'m"},
                                                                       {" do not", " don't"},
                                                                       {" 's", "'s"},
                                                                       {" 've", "'ve"},
                                                                       {" 're", "'re"}}};
  for (const auto& [what, with] : kPairs)
    text = ReplaceText(std::string(what), std::string(with)).apply(text);
  return text;
}

// Up to `start` and `stop` copies of the content go.
std::string strip_ends(std::string_view token, std::string_view content, int64_t start,
                       int64_t stop) {
  for (; start > 0 && token.starts_with(content); --start) token.remove_prefix(content.size());
  for (; stop > 0 && token.ends_with(content); --stop) token.remove_suffix(content.size());
  return std::string(token);
}

std::function<std::string(std::string_view)> read_replace(const Json& json,
                                                          const std::string& where) {
  const auto steps = NormalizerList::read(json, where);
  return [steps](std::string_view token) { return steps.apply(token); };
}

std::function<std::string(std::string_view)> read_wordpiece(const Json& json,
                                                            const std::string& where) {
  return [prefix = get_or<std::string>(json, "prefix", "##", where),
          clean = get_or<bool>(json, "cleanup", true, where)](std::string_view token) {
    std::string text =
        token.starts_with(prefix) ? std::string(token.substr(prefix.size())) : concat(' ', token);
    return clean ? clean_up(std::move(text)) : text;
  };
}

}  // namespace

void Decoder::add(const Json& json, const std::string& where) {
  const auto type = get<std::string>(json, "type", where);
  if (type == "Sequence") {
    const Json list = get<Json>(json, "decoders", where);
    REQUIRE(list.is_array(), where, ".decoders: expected a list");
    for (const Json& item : list) add(item, where + ".decoders");
  } else if (type == "ByteLevel") {
    steps_.push_back(byte_level);
  } else if (type == "ByteFallback") {
    steps_.push_back(byte_fallback);
  } else if (type == "Replace") {
    steps_.push_back(read_replace(json, where));
  } else if (type == "Fuse") {
    fused_ = true;
  } else if (type == "Metaspace") {
    const bool prefix = get_or<bool>(json, "add_prefix_space", true, where);
    const auto space = get_or<std::string>(json, "replacement", "\u2581", where);
    REQUIRE(!space.empty(), where, ".replacement: empty");
    steps_.push_back(
        [space](std::string_view token) { return ReplaceText(space, " ").apply(token); });
    const auto scheme =
        get_or<std::string>(json, "prepend_scheme", prefix ? "always" : "never", where);
    strip_count_ = scheme == "never" ? 0 : 1;
  } else if (type == "WordPiece") {
    steps_.push_back(read_wordpiece(json, where));
    separates_words_ = true;
    strip_count_ = 1;
  } else {
    REQUIRE(type == "Strip", where, ": decoder '", type,
            "' is not supported (supported: ByteLevel, ByteFallback, Replace, Strip, Fuse, "
            "Metaspace, WordPiece, Sequence)");
    const auto content = get<std::string>(json, "content", where);
    const auto start = get_or<int64_t>(json, "start", 0, where);
    const auto stop = get_or<int64_t>(json, "stop", 0, where);
    REQUIRE(!content.empty() && start >= 0 && start <= kMaxStrip && stop >= 0 && stop <= kMaxStrip,
            where, ": Strip needs a content, and 0 .. ", kMaxStrip, " as start and stop");
    REQUIRE(!fused_ || stop == 0, where,
            ": Strip with a stop behind Fuse is not supported: the end of a text is not known "
            "while it is written");
    if (fused_)
      strip_ = content, strip_count_ = start;
    else
      steps_.push_back(
          [=](std::string_view token) { return strip_ends(token, content, start, stop); });
  }
  REQUIRE(steps_.size() <= kMaxSteps, where, ": more than ", kMaxSteps, " decoders");
}

Decoder Decoder::read(const Json& json, std::string_view where) {
  Decoder decoder;
  if (json.is_null()) {  // tokens stand apart
    decoder.steps_.push_back([](std::string_view token) { return concat(' ', token); });
    decoder.separates_words_ = true;
    decoder.strip_count_ = 1;
    return decoder;
  }
  decoder.add(json, concat(where, ": decoder"));
  return decoder;
}

std::string Decoder::bytes(std::string_view spelling) const {
  std::string out(spelling);
  for (const auto& step : steps_) out = step(out);
  return out;
}

}  // namespace malssi
