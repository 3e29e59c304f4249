#include "text/tokenizer_json.h"

#include <algorithm>
#include <unordered_set>

#include "base/error.h"
#include "text/splitter.h"
#include "text/vocabulary.h"

namespace malssi {
namespace {

Json byte_level(bool use_regex) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", true},
          {"use_regex", use_regex}};
}

Json frame(Json pre_tokenizer, Json post_processor, Json decoder, bool byte_fallback) {
  Json model = {{"type", "BPE"},
                {"dropout", nullptr},
                {"unk_token", nullptr},
                {"continuing_subword_prefix", nullptr},
                {"end_of_word_suffix", nullptr},
                {"fuse_unk", false},
                {"byte_fallback", byte_fallback},
                {"ignore_merges", false},
                {"vocab", Json::object()},
                {"merges", Json::array()}};
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", Json::array()},
          {"normalizer", nullptr},
          {"pre_tokenizer", std::move(pre_tokenizer)},
          {"post_processor", std::move(post_processor)},
          {"decoder", std::move(decoder)},
          {"model", std::move(model)}};
}

void add_template(const Json& json, const std::string& where, Surround& out) {
  const Json single = get<Json>(json, "single", where);
  REQUIRE(single.is_array(), where, ".single: expected a list");
  bool seen_text = false;
  for (const Json& item : single) {
    if (item.contains("Sequence")) {
      seen_text = true;
      continue;
    }
    const Json special = get<Json>(item, "SpecialToken", where + ".single");
    (seen_text ? out.after : out.before)
        .push_back(get<std::string>(special, "id", where + ".single"));
  }
}

// [text, id] of BertProcessing and RobertaProcessing.
std::string pair_text(const Json& json, std::string_view key, const std::string& where) {
  const Json pair = get<Json>(json, key, where);
  REQUIRE(pair.is_array() && pair.size() == 2 && pair[0].is_string(), where, ".", key,
          ": expected [text, id]");
  return pair[0].get<std::string>();
}

void add_post_processor(const Json& json, const std::string& where, Surround& out) {
  const auto type = get<std::string>(json, "type", where);
  if (type == "ByteLevel") return;
  if (type == "TemplateProcessing") return add_template(json, where, out);
  if (type == "BertProcessing" || type == "RobertaProcessing") {
    out.before.push_back(pair_text(json, "cls", where));
    out.after.push_back(pair_text(json, "sep", where));
    return;
  }
  REQUIRE(type == "Sequence", where, ": post-processor '", type,
          "' is not supported (supported: ByteLevel, TemplateProcessing, BertProcessing, "
          "RobertaProcessing, Sequence)");
  const Json list = get<Json>(json, "processors", where);
  REQUIRE(list.is_array() && list.size() <= 64, where,
          ".processors: expected a list of at most 64");
  for (const Json& item : list) add_post_processor(item, where + ".processors", out);
}

}  // namespace

Json byte_level_frame(const std::vector<std::string>& patterns) {
  const bool gpt2 = !patterns.empty() && patterns.back() == "gpt2";
  Json list = Json::array();
  for (size_t i = 0; i + (gpt2 ? 1 : 0) < patterns.size(); ++i)
    list.push_back({{"type", "Split"},
                    {"pattern", {{"Regex", pattern_expression(patterns[i])}}},
                    {"behavior", "Isolated"},
                    {"invert", false}});
  Json pre_tokenizer = byte_level(gpt2);
  if (!list.empty()) {
    list.push_back(std::move(pre_tokenizer));
    pre_tokenizer = {{"type", "Sequence"}, {"pretokenizers", std::move(list)}};
  }
  return frame(std::move(pre_tokenizer), byte_level(true), byte_level(true), false);
}

Json char_frame(bool byte_fallback) {
  Json decoder = {{"type", "Fuse"}};
  if (byte_fallback) {
    Json list = Json::array();
    list.push_back({{"type", "ByteFallback"}});
    list.push_back(std::move(decoder));
    decoder = {{"type", "Sequence"}, {"decoders", std::move(list)}};
  }
  return frame(nullptr, nullptr, std::move(decoder), byte_fallback);
}

Json added_tokens_json(const AddedTokens& added) {
  std::vector<AddedToken> tokens = added.tokens();
  std::sort(tokens.begin(), tokens.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  Json list = Json::array();
  for (const AddedToken& token : tokens)
    list.push_back({{"id", token.id},
                    {"content", token.text},
                    {"single_word", token.single_word},
                    {"lstrip", token.strip_left},
                    {"rstrip", token.strip_right},
                    {"normalized", token.normalized},
                    {"special", token.special}});
  return list;
}

Surround read_post_processor(const Json& json, std::string_view where) {
  Surround out;
  if (!json.is_null()) add_post_processor(json, concat(where, ": post_processor"), out);
  return out;
}

Json surround_json(const Vocabulary& vocabulary, const std::vector<int32_t>& before,
                   const std::vector<int32_t>& after) {
  if (before.empty() && after.empty()) return nullptr;
  Json special = Json::object(), single = Json::array();
  const auto add = [&](const std::vector<int32_t>& ids) {
    for (const int32_t id : ids) {
      const std::string text(vocabulary.bytes(id));
      single.push_back({{"SpecialToken", {{"id", text}, {"type_id", 0}}}});
      Json entry = {{"id", text}, {"ids", Json::array()}, {"tokens", Json::array()}};
      entry["ids"].push_back(id);
      entry["tokens"].push_back(text);
      special[text] = std::move(entry);
    }
  };
  add(before);
  single.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
  add(after);
  Json pair = single;
  pair.push_back({{"Sequence", {{"id", "B"}, {"type_id", 1}}}});
  return {{"type", "TemplateProcessing"},
          {"single", std::move(single)},
          {"pair", std::move(pair)},
          {"special_tokens", std::move(special)}};
}

AddedTokens read_added_tokens(const Json& json, std::string_view where) {
  AddedTokens added;
  if (json.is_null()) return added;
  const std::string place = concat(where, ": added_tokens");
  REQUIRE(json.is_array(), place, ": expected a list");
  std::unordered_set<std::string> seen;
  for (const Json& item : json) {
    AddedToken token{.id = get<int32_t>(item, "id", place),
                     .text = get<std::string>(item, "content", place),
                     .special = get_or<bool>(item, "special", false, place),
                     .strip_left = get_or<bool>(item, "lstrip", false, place),
                     .strip_right = get_or<bool>(item, "rstrip", false, place),
                     .single_word = get_or<bool>(item, "single_word", false, place),
                     .normalized = get_or<bool>(item, "normalized", false, place)};
    REQUIRE(token.id >= 0 && token.id < Vocabulary::kMaxSize, place, ": '", token.text,
            "' has the impossible id ", token.id);
    REQUIRE(!token.text.empty(), place, ": the token of id ", token.id, " is empty");
    REQUIRE(seen.insert(token.text).second, place, ": '", token.text, "' is listed twice");
    added.add(std::move(token));
  }
  return added;
}

}  // namespace malssi
