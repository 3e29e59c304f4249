#include "text/gguf_vocabulary.h"

#include <array>
#include <utility>

#include "base/error.h"
#include "text/tokenizer_json.h"

namespace malssi {
namespace {

// GGUF's names of splitting patterns, and ours.
constexpr std::array kPatterns = {std::pair{"gpt-2", "gpt2"}, std::pair{"llama-bpe", "llama3"},
                                  std::pair{"qwen2", "qwen2"}, std::pair{"default", "gpt2"}};
constexpr int32_t kNormal = 1, kControl = 3, kUserDefined = 4, kUnused = 5;

std::string_view pattern_of(std::string_view pre, std::string_view where) {
  for (const auto& [name, pattern] : kPatterns)
    if (pre == name) return pattern;
  throw Error(concat(where, ": key \"tokenizer.ggml.pre\" is \"", pre,
                     "\", a splitting pattern that this program does not know"));
}

}  // namespace

std::unique_ptr<Tokenizer> tokenizer_from_gguf(const GgufVocabulary& v, std::string_view where) {
  REQUIRE(v.model == "gpt2", where, ": key \"tokenizer.ggml.model\" is \"", v.model,
          "\"; byte-level BPE (\"gpt2\") is read");
  Json json = byte_level_frame(pattern_of(v.pre.empty() ? "default" : v.pre, where));
  json["added_tokens"] = Json::array();
  Json vocabulary = Json::object();
  for (size_t id = 0; id < v.tokens.size(); ++id) {
    const int32_t type = v.types.empty() ? kNormal : v.types[id];
    if (type == kUnused) continue;
    REQUIRE(!vocabulary.contains(v.tokens[id]), where, ": token \"", v.tokens[id],
            "\" is listed twice");
    vocabulary[v.tokens[id]] = id;
    if (type == kControl || type == kUserDefined)
      json["added_tokens"].push_back({{"id", id},
                                      {"content", v.tokens[id]},
                                      {"single_word", false},
                                      {"lstrip", false},
                                      {"rstrip", false},
                                      {"normalized", false},
                                      {"special", type == kControl}});
  }
  json["model"]["vocab"] = std::move(vocabulary);
  json["model"]["merges"] = v.merges;
  auto tokenizer = tokenizer_from_json(json, where);
  tokenizer->set_bos_id(v.bos_id);
  tokenizer->set_eos_id(v.eos_id);
  tokenizer->set_pad_id(v.pad_id);
  return tokenizer;
}

GgufVocabulary gguf_vocabulary(const Tokenizer& tokenizer) {
  REQUIRE(tokenizer.kind() == "byte-level BPE", "a tokenizer of ", tokenizer.kind(),
          " has no place in a GGUF file; byte-level BPE has");
  GgufVocabulary v;
  v.model = "gpt2";
  for (const auto& [name, pattern] : kPatterns)
    if (v.pre.empty() && tokenizer.pattern() == pattern) v.pre = name;
  REQUIRE(!v.pre.empty(), "the splitting pattern \"", tokenizer.pattern(),
          "\" has no name in GGUF files");
  const Json json = tokenizer.to_json();
  v.tokens.resize(static_cast<size_t>(tokenizer.vocab_size()));
  v.types.resize(v.tokens.size(), kUnused);
  for (const auto& [name, id] : json["model"]["vocab"].items()) {
    v.tokens[id.get<size_t>()] = name;
    v.types[id.get<size_t>()] = kNormal;
  }
  for (const AddedToken& added : tokenizer.added_tokens()) {
    v.tokens[static_cast<size_t>(added.id)] = added.text;
    v.types[static_cast<size_t>(added.id)] = added.special ? kControl : kUserDefined;
  }
  for (const Json& merge : json["model"]["merges"]) v.merges.push_back(merge.get<std::string>());
  v.bos_id = tokenizer.bos_id();
  v.eos_id = tokenizer.eos_id();
  v.pad_id = tokenizer.pad_id();
  v.add_bos = false;
  return v;
}

}  // namespace malssi
