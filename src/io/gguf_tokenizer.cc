#include "io/gguf_tokenizer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"

namespace malssi {
namespace {

const std::string kPrefix = "tokenizer.ggml.";
constexpr const char* kTemplate = "tokenizer.chat_template";
constexpr int64_t kMaxTokens = int64_t{1} << 24;

struct IdKey {
  const char* name;
  int32_t GgufVocabulary::*id;
};
constexpr std::array kIdKeys = {
    IdKey{"bos_token_id", &GgufVocabulary::bos_id},
    IdKey{"eos_token_id", &GgufVocabulary::eos_id},
    IdKey{"unknown_token_id", &GgufVocabulary::unk_id},
    IdKey{"seperator_token_id", &GgufVocabulary::sep_id},  // spelt so in the format
    IdKey{"padding_token_id", &GgufVocabulary::pad_id},
    IdKey{"cls_token_id", &GgufVocabulary::cls_id},
    IdKey{"mask_token_id", &GgufVocabulary::mask_id},
};
struct FlagKey {
  const char* name;
  std::optional<bool> GgufVocabulary::*flag;
};
constexpr std::array kFlagKeys = {
    FlagKey{"add_bos_token", &GgufVocabulary::add_bos},
    FlagKey{"add_eos_token", &GgufVocabulary::add_eos},
    FlagKey{"add_sep_token", &GgufVocabulary::add_sep},
    FlagKey{"add_space_prefix", &GgufVocabulary::add_space_prefix},
    FlagKey{"remove_extra_whitespaces", &GgufVocabulary::remove_extra_whitespaces},
};
constexpr std::array kEndKeys = {"eot_token_id", "eom_token_id"};

// The list, or an empty one where there is no such key.
template <class List>
List list_or_empty(const Gguf& file, const std::string& key, const auto& as_list) {
  const GgufValue* value = file.find(key);
  if (!value) return {};
  auto list = as_list(*value);
  REQUIRE(list, file.where(), ": key \"", key, "\" is ", gguf_kind(*value),
          ", expected a list of another kind");
  return *list;
}

// One value for each token, or none.
void check_length(const Gguf& file, const char* key, size_t length, size_t tokens) {
  REQUIRE(length == 0 || length == tokens, file.where(), ": key \"", kPrefix, key, "\" has ",
          length, " values for ", tokens, " tokens: the file is damaged");
}

int32_t read_id(const Gguf& file, const char* name, size_t tokens) {
  const auto id = file.find_int(kPrefix + name);
  if (!id || *id == -1 || *id == 0xffffffff) return -1;  // how writers say "none"
  REQUIRE(*id >= 0 && static_cast<uint64_t>(*id) < tokens, file.where(), ": key \"", kPrefix, name,
          "\" is ", *id, ", the vocabulary has ", tokens, " tokens: the file is damaged");
  return static_cast<int32_t>(*id);
}

// A list of signed or unsigned bytes.
std::string read_bytes(const Gguf& file, const std::string& key) {
  std::string bytes;
  for (const int64_t byte : list_or_empty<std::vector<int64_t>>(file, key, gguf_ints)) {
    REQUIRE(byte >= -128 && byte <= 255, file.where(), ": key \"", key, "\" holds ", byte,
            ", expected bytes");
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

}  // namespace

bool has_gguf_vocabulary(const Gguf& file) {
  const auto model = file.find_string(kPrefix + "model");
  return model && *model != "none" && *model != "no_vocab";
}

GgufVocabulary read_gguf_vocabulary(const Gguf& file) {
  GgufVocabulary v;
  const auto model = file.find_string(kPrefix + "model");
  REQUIRE(model, file.where(), ": key \"", kPrefix,
          "model\" is missing: the file holds no tokenizer");
  v.model = *model;
  v.pre = file.find_string(kPrefix + "pre").value_or("");
  v.tokens = list_or_empty<std::vector<std::string>>(file, kPrefix + "tokens", gguf_strings);
  v.merges = list_or_empty<std::vector<std::string>>(file, kPrefix + "merges", gguf_strings);
  const size_t count = v.tokens.size();
  REQUIRE(count > 0 && count <= static_cast<size_t>(kMaxTokens), file.where(), ": key \"", kPrefix,
          "tokens\" lists ", count, " tokens, expected 1 to ", kMaxTokens);
  const auto scores = list_or_empty<std::vector<double>>(file, kPrefix + "scores", gguf_numbers);
  const auto types = list_or_empty<std::vector<int64_t>>(file, kPrefix + "token_type", gguf_ints);
  check_length(file, "scores", scores.size(), count);
  check_length(file, "token_type", types.size(), count);
  for (const double score : scores) v.scores.push_back(static_cast<float>(score));
  for (const int64_t type : types) {
    REQUIRE(type >= 0 && type <= 6, file.where(), ": key \"", kPrefix, "token_type\" holds ", type,
            ", expected 0 to 6: the file is damaged");
    v.types.push_back(static_cast<int32_t>(type));
  }
  for (const auto& [name, id] : kIdKeys) v.*id = read_id(file, name, count);
  for (const auto& [name, flag] : kFlagKeys) v.*flag = file.find_bool(kPrefix + name);
  for (const char* name : kEndKeys)
    if (const int32_t id = read_id(file, name, count); id >= 0) v.eog_ids.push_back(id);
  v.precompiled_charsmap = read_bytes(file, kPrefix + "precompiled_charsmap");
  v.chat_template = file.find_string(kTemplate).value_or("");
  return v;
}

void put_gguf_vocabulary(const GgufVocabulary& v, GgufWriter& writer) {
  writer.put(kPrefix + "model", v.model);
  if (!v.pre.empty()) writer.put(kPrefix + "pre", v.pre);
  writer.put(kPrefix + "tokens", v.tokens);
  if (!v.scores.empty())
    writer.put(kPrefix + "scores", std::vector<double>(v.scores.begin(), v.scores.end()));
  if (!v.types.empty())
    writer.put(kPrefix + "token_type", std::vector<int64_t>(v.types.begin(), v.types.end()));
  if (!v.merges.empty()) writer.put(kPrefix + "merges", v.merges);
  for (const auto& [name, id] : kIdKeys)
    if (v.*id >= 0) writer.put(kPrefix + name, int64_t{v.*id});
  for (const auto& [name, flag] : kFlagKeys)
    if (v.*flag) writer.put(kPrefix + name, *(v.*flag));
  for (size_t i = 0; i < std::min(v.eog_ids.size(), kEndKeys.size()); ++i)
    writer.put(kPrefix + kEndKeys[i], int64_t{v.eog_ids[i]});
  if (!v.precompiled_charsmap.empty())
    writer.put_bytes(kPrefix + "precompiled_charsmap", v.precompiled_charsmap);
  if (!v.chat_template.empty()) writer.put(kTemplate, v.chat_template);
}

}  // namespace malssi
