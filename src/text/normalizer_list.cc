#include "text/normalizer_list.h"

#include "base/base64.h"
#include "base/error.h"
#include "text/normalizer_steps.h"

namespace malssi {
namespace {

constexpr size_t kMaxSteps = 64;

std::shared_ptr<const NormalizerStep> read_replace(const Json& json, const std::string& where) {
  const Json pattern = get<Json>(json, "pattern", where);
  const auto content = get<std::string>(json, "content", where);
  REQUIRE(pattern.is_object(), where, ".pattern: expected {\"String\": ...} or {\"Regex\": ...}");
  if (pattern.contains("Regex"))
    return std::make_shared<ReplaceMatches>(get<std::string>(pattern, "Regex", where), content);
  const auto text = get<std::string>(pattern, "String", where + ".pattern");
  REQUIRE(!text.empty(), where, ".pattern: an empty text cannot be replaced");
  return std::make_shared<ReplaceText>(text, content);
}

std::shared_ptr<const NormalizerStep> read_bert(const Json& json, const std::string& where) {
  const bool lower_case = get_or<bool>(json, "lowercase", true, where);
  return std::make_shared<BertNormalizer>(BertNormalizer::Options{
      .clean = get_or<bool>(json, "clean_text", true, where),
      .separate_ideographs = get_or<bool>(json, "handle_chinese_chars", true, where),
      .strip_accents = get_or<bool>(json, "strip_accents", lower_case, where),
      .lower_case = lower_case});
}

std::shared_ptr<const NormalizerStep> read_charsmap(const Json& json, const std::string& where) {
  const auto blob = from_base64(get_or<std::string>(json, "precompiled_charsmap", "", where));
  REQUIRE(blob, where, ".precompiled_charsmap: this is no base64");
  return std::make_shared<ApplyCharsmap>(*blob);
}

std::shared_ptr<const NormalizerStep> read_step(const Json& json, const std::string& type,
                                                const std::string& where) {
  if (type == "NFC" || type == "NFD" || type == "NFKC" || type == "NFKD")
    return std::make_shared<UnicodeForm>(normalization_named(type));
  if (type == "Lowercase") return std::make_shared<LowerCase>();
  if (type == "StripAccents") return std::make_shared<StripAccents>();
  if (type == "BertNormalizer") return read_bert(json, where);
  if (type == "Prepend")
    return std::make_shared<PrependText>(get<std::string>(json, "prepend", where));
  if (type == "Replace") return read_replace(json, where);
  if (type == "Precompiled") return read_charsmap(json, where);
  REQUIRE(type == "Strip", where, ": normalizer '", type,
          "' is not supported (supported: NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, "
          "BertNormalizer, Prepend, Replace, Strip, Precompiled, Sequence)");
  return std::make_shared<StripSpace>(
      StripSpace::Options{.left = get_or<bool>(json, "strip_left", true, where),
                          .right = get_or<bool>(json, "strip_right", true, where)});
}

}  // namespace

void NormalizerList::add(const Json& json, const std::string& where) {
  const auto type = get<std::string>(json, "type", where);
  if (type != "Sequence") {
    steps_.push_back(read_step(json, type, where));
    names_.push_back(type);
    REQUIRE(steps_.size() <= kMaxSteps, where, ": more than ", kMaxSteps, " normalizers");
    return;
  }
  const Json list = get<Json>(json, "normalizers", where);
  REQUIRE(list.is_array(), where, ".normalizers: expected a list");
  for (const Json& item : list) add(item, where + ".normalizers");
}

NormalizerList NormalizerList::read(const Json& json, std::string_view where) {
  NormalizerList list;
  if (!json.is_null()) list.add(json, concat(where, ": normalizer"));
  return list;
}

std::string NormalizerList::apply(std::string_view text) const {
  std::string out(text);
  for (const auto& step : steps_) {
    out = step->apply(out);
    check_growth(text.size(), out.size());
  }
  return out;
}

}  // namespace malssi
