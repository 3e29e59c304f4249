// Reading tokenizers: tokenizer.json, tokenizer_config.json, and GPT-2's two older files.
#include <algorithm>

#include "base/error.h"
#include "text/bpe_tokenizer.h"
#include "text/byte_alphabet.h"
#include "text/char_tokenizer.h"
#include "text/tokenizer.h"
#include "text/tokenizer_json.h"
#include "text/utf8.h"

namespace malssi {
namespace {

// The member, without a copy; null where it is absent.
const Json& member_or_null(const Json& json, std::string_view key, std::string_view where) {
  static const Json kNull;
  const Json* member = json_detail::member(json, key, where);
  return member ? *member : kNull;
}

const Json& member(const Json& json, std::string_view key, std::string_view where) {
  const Json* member = json_detail::member(json, key, where);
  REQUIRE(member, where, ": \"", key, "\" is missing");
  return *member;
}

void check_model(const Json& model, const std::string& where) {
  const auto type = get_or<std::string>(model, "type", "BPE", where);
  REQUIRE(type == "BPE", where, ": model type '", type, "' is not supported (supported: BPE)");
  REQUIRE(get_or<double>(model, "dropout", 0.0, where) == 0.0, where,
          ": BPE dropout is not supported");
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
    REQUIRE(get_or<std::string>(model, key, "", where).empty(), where, ": \"", key,
            "\" is not supported");
}

// A token has the bytes that bytes_of(its text) gives; an added token its text.
template <class BytesOf>
Vocabulary read_vocabulary(const Json& model, const AddedTokens& added, const std::string& where,
                           BytesOf&& bytes_of) {
  const Json& vocab = member(model, "vocab", where);
  REQUIRE(vocab.is_object(), where, ".vocab: expected an object of tokens and ids, found ",
          json_kind(vocab));
  Vocabulary vocabulary;
  vocabulary.reserve(static_cast<int64_t>(vocab.size()));
  for (const auto& [token, value] : vocab.get_ref<const Json::object_t&>()) {
    int32_t id = -1;
    REQUIRE(json_detail::read(value, id) && id >= 0 && id < Vocabulary::kMaxSize, where,
            ".vocab: '", token, "' has the id ", dump_json(value), ", expected 0 .. ",
            Vocabulary::kMaxSize - 1);
    const AddedToken* special = added.find_id(id);
    REQUIRE(!special || special->text == token, where, ".vocab: id ", id, " is '", token,
            "' here and '", special ? special->text : "", "' among added_tokens");
    vocabulary.add(id, special ? token : bytes_of(token));
  }
  for (const AddedToken& token : added.tokens()) {
    const bool known = token.id < vocabulary.size() && !vocabulary.bytes(token.id).empty();
    if (!known) vocabulary.add(token.id, token.text);
  }
  return vocabulary;
}

// "a b" or ["a", "b"].
std::pair<std::string, std::string> read_merge(const Json& json, int64_t number,
                                               const std::string& where) {
  if (json.is_array() && json.size() == 2 && json[0].is_string() && json[1].is_string())
    return {json[0].get<std::string>(), json[1].get<std::string>()};
  REQUIRE(json.is_string(), where, ".merges: number ", number,
          " is neither \"a b\" nor [\"a\", \"b\"]");
  const auto& text = json.get_ref<const std::string&>();
  const size_t space = text.find(' ');
  REQUIRE(space != text.npos && space > 0 && space + 1 < text.size() &&
              text.find(' ', space + 1) == text.npos,
          where, ".merges: number ", number, " is '", text, "', expected two tokens and one space");
  return {text.substr(0, space), text.substr(space + 1)};
}

std::string bytes_of_token(const std::string& token) {
  return from_byte_alphabet(token).value_or(token);
}

Merges read_merges(const Json& list, const Vocabulary& vocabulary, const std::string& where) {
  Merges merges;
  for (int32_t byte = 0; byte < 256; ++byte) {
    const char text = static_cast<char>(byte);
    merges.set_byte_id(static_cast<uint8_t>(byte), vocabulary.find({&text, 1}).value_or(-1));
  }
  merges.reserve(static_cast<int64_t>(list.size()));
  int64_t number = 0;
  const auto id_of = [&](const std::string& bytes, const std::string& shown) {
    const std::optional<int32_t> id = vocabulary.find(bytes);
    REQUIRE(id, where, ".merges: number ", number, " needs the token '", shown,
            "', which the vocabulary lacks");
    return *id;
  };
  for (const Json& item : list) {
    const auto [left, right] = read_merge(item, number, where);
    const std::string left_bytes = bytes_of_token(left), right_bytes = bytes_of_token(right);
    const Merges::Rule rule = {id_of(left_bytes, left), id_of(right_bytes, right),
                               id_of(left_bytes + right_bytes, left + right)};
    REQUIRE(merges.add(rule), where, ".merges: '", left, " ", right, "' is listed twice");
    ++number;
  }
  return merges;
}

std::vector<int32_t> ids_of(const std::vector<std::string>& texts, const Tokenizer& tokenizer,
                            const std::string& where) {
  std::vector<int32_t> ids;
  for (const std::string& text : texts) {
    const std::optional<int32_t> id = tokenizer.token_id(text);
    REQUIRE(id, where, ": post_processor names '", text, "', which the vocabulary lacks");
    ids.push_back(*id);
  }
  return ids;
}

// The file without what to_json() writes itself.
Json frame_of(const Json& json) {
  Json frame = Json::object();
  for (const auto& [key, value] : json.get_ref<const Json::object_t&>()) {
    if (key != "model") {
      frame[key] = key == "added_tokens" ? Json() : value;
      continue;
    }
    frame["model"] = Json::object();
    for (const auto& [name, part] : value.get_ref<const Json::object_t&>())
      frame["model"][name] = name == "vocab" || name == "merges" ? Json() : part;
  }
  return frame;
}

Normalization read_normalizer(const Json& json, const std::string& where) {
  if (json.is_null()) return Normalization::none;
  const auto type = get<std::string>(json, "type", where + ": normalizer");
  if (type != "Sequence") return normalization_named(type);
  const Json& list = member(json, "normalizers", where + ": normalizer");
  REQUIRE(list.is_array() && list.size() <= 1, where,
          ": a normalizer Sequence of several steps is not supported");
  return list.empty() ? Normalization::none : read_normalizer(list[0], where);
}

std::unique_ptr<Tokenizer> read_char(const Json& model, AddedTokens added,
                                     const std::string& where) {
  const bool fallback = get_or<bool>(model, "byte_fallback", false, where);
  std::array<int32_t, 256> byte_ids;
  byte_ids.fill(-1);
  const auto bytes_of = [&](const std::string& token) -> std::string {
    if (const auto byte = fallback ? byte_of_token_name(token) : std::nullopt)
      return std::string(1, static_cast<char>(*byte));
    REQUIRE(decode_utf8(token, 0).length == static_cast<int64_t>(token.size()), where, ".vocab: '",
            token,
            "' has several characters, but there is no byte-level pre-tokenizer to say how text "
            "splits into such");
    return token;
  };
  Vocabulary vocabulary = read_vocabulary(model, added, where, bytes_of);
  const Json& tokens = model.at("vocab");
  for (size_t byte = 0; fallback && byte < 256; ++byte) {
    const auto name = byte_token_name(static_cast<uint8_t>(byte));
    REQUIRE(tokens.contains(name), where, ".vocab: byte_fallback needs the token ", name);
    byte_ids[byte] = tokens.at(name).get<int32_t>();
  }
  return std::make_unique<CharTokenizer>(std::move(vocabulary), std::move(added), byte_ids);
}

std::unique_ptr<Tokenizer> build(const Json& json, const std::string& where) {
  const Json& model = member(json, "model", where);
  const std::string model_where = where + ": model";
  REQUIRE(model.is_object(), model_where, ": expected an object, found ", json_kind(model));
  check_model(model, model_where);
  const Json& merges = member(model, "merges", model_where);
  REQUIRE(merges.is_array(), model_where, ".merges: expected a list, found ", json_kind(merges));
  PreTokenizer pre = read_pre_tokenizer(member_or_null(json, "pre_tokenizer", where), where);
  AddedTokens added = read_added_tokens(member_or_null(json, "added_tokens", where), where);
  const Surround surround =
      read_post_processor(member_or_null(json, "post_processor", where), where);
  const Normalization normalization =
      read_normalizer(member_or_null(json, "normalizer", where), where);
  if (!pre.byte_level) {
    REQUIRE(merges.empty() && pre.patterns.empty() && normalization == Normalization::none,
            model_where,
            ": only byte-level BPE is supported; this one has no ByteLevel pre-tokenizer");
    return read_char(model, std::move(added), model_where);
  }
  BpeParts parts;
  parts.vocabulary = read_vocabulary(model, added, model_where, bytes_of_token);
  parts.merges = read_merges(merges, parts.vocabulary, model_where);
  for (int32_t byte = 0; byte < 256; ++byte)
    REQUIRE(!merges.empty() || parts.merges.byte_id(static_cast<uint8_t>(byte)) >= 0, model_where,
            ".vocab: there is no token for byte ", byte);
  parts.added = std::move(added);
  parts.patterns = std::move(pre.patterns);
  parts.prefix_space = pre.prefix_space;
  parts.normalization = normalization;
  parts.ignore_merges = get_or<bool>(model, "ignore_merges", false, model_where);
  parts.frame = frame_of(json);
  auto tokenizer = std::make_unique<BpeTokenizer>(std::move(parts));
  tokenizer->set_surround(ids_of(surround.before, *tokenizer, where),
                          ids_of(surround.after, *tokenizer, where));
  return tokenizer;
}

// vocab.bpe, merges.txt: a "#version" line, then one merge a line.
Json read_merge_lines(const fs::path& path) {
  const std::string text = read_file(path);
  Json merges = Json::array();
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty() && !(at == 0 && line.starts_with("#version")))
      merges.push_back(std::move(line));
    at = end + 1;
  }
  return merges;
}

}  // namespace

std::unique_ptr<Tokenizer> tokenizer_from_json(const Json& json, std::string_view where) {
  const std::string place(where);
  try {
    return build(json, place);
  } catch (const Error& error) {
    const std::string_view message = error.what();
    if (message.starts_with(place)) throw;
    throw Error(concat(place, ": ", message));
  }
}

std::unique_ptr<Tokenizer> tokenizer_from_text(std::string_view tokenizer_json,
                                               std::string_view where) {
  return tokenizer_from_json(parse_json(tokenizer_json, where), where);
}

std::unique_ptr<Tokenizer> load_gpt2_tokenizer(const fs::path& encoder_json,
                                               const fs::path& vocab_bpe) {
  Json json = byte_level_frame("gpt2");
  json["model"]["vocab"] = load_json(encoder_json);
  json["model"]["merges"] = read_merge_lines(vocab_bpe);
  AddedTokens added;
  for (const char* text : {"<|endoftext|>", "<s>", "</s>", "<pad>", "<unk>", "<mask>"})
    if (const Json& vocab = json["model"]["vocab"]; vocab.is_object() && vocab.contains(text))
      added.add({.id = get<int32_t>(vocab, text, encoder_json.string()), .text = text});
  json["added_tokens"] = added_tokens_json(added);
  return tokenizer_from_json(json, encoder_json.string());
}

std::unique_ptr<Tokenizer> load_tokenizer(const fs::path& file_or_folder) {
  std::error_code ignored;
  if (!fs::is_directory(file_or_folder, ignored)) {
    auto tokenizer = tokenizer_from_text(read_file(file_or_folder), file_or_folder.string());
    const fs::path config = file_or_folder.parent_path() / "tokenizer_config.json";
    if (file_or_folder.filename() == "tokenizer.json" && fs::exists(config, ignored))
      apply_tokenizer_config(*tokenizer, load_json(config));
    return tokenizer;
  }
  if (fs::exists(file_or_folder / "tokenizer.json", ignored))
    return load_tokenizer(file_or_folder / "tokenizer.json");
  for (const auto& [vocab, merges] :
       {std::pair("vocab.json", "merges.txt"), std::pair("encoder.json", "vocab.bpe")})
    if (fs::exists(file_or_folder / vocab, ignored) && fs::exists(file_or_folder / merges, ignored))
      return load_gpt2_tokenizer(file_or_folder / vocab, file_or_folder / merges);
  throw Error(
      concat(file_or_folder.string(),
             ": no tokenizer here: expected tokenizer.json, or vocab.json with merges.txt"));
}

void apply_tokenizer_config(Tokenizer& tokenizer, const Json& config) {
  const auto id_of = [&](const char* key) {
    if (!config.is_object() || !config.contains(key)) return -1;
    const Json& value = config.at(key);
    const Json& text = value.is_object() && value.contains("content") ? value.at("content") : value;
    return text.is_string() ? tokenizer.token_id(text.get_ref<const std::string&>()).value_or(-1)
                            : -1;
  };
  if (const int32_t id = id_of("bos_token"); id >= 0) tokenizer.set_bos_id(id);
  if (const int32_t id = id_of("eos_token"); id >= 0) tokenizer.set_eos_id(id);
  if (const int32_t id = id_of("pad_token"); id >= 0) tokenizer.set_pad_id(id);
}

Json tokenizer_config(const Tokenizer& tokenizer, std::string_view chat_template, int64_t context) {
  Json config = Json::object();
  const auto put = [&](const char* key, int32_t id) {
    if (id >= 0) config[key] = std::string(tokenizer.token_bytes(id));
  };
  put("bos_token", tokenizer.bos_id());
  put("eos_token", tokenizer.eos_id());
  put("pad_token", tokenizer.pad_id());
  config["clean_up_tokenization_spaces"] = false;
  if (context > 0) config["model_max_length"] = context;
  config["tokenizer_class"] = "PreTrainedTokenizerFast";
  if (!chat_template.empty()) config["chat_template"] = std::string(chat_template);
  return config;
}

}  // namespace malssi
