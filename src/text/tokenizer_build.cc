// From the JSON of a tokenizer.json to the class that it asks for.
#include <algorithm>

#include "base/error.h"
#include "text/bpe_tokenizer.h"
#include "text/byte_alphabet.h"
#include "text/char_tokenizer.h"
#include "text/pipeline_tokenizer.h"
#include "text/tokenizer_json.h"
#include "text/unknown.h"
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

std::string model_type(const Json& model, const std::string& where) {
  const auto type = get_or<std::string>(model, "type", "", where);
  if (!type.empty()) return type;
  if (model.contains("merges")) return "BPE";
  return member(model, "vocab", where).is_array() ? "Unigram" : "WordPiece";
}

void check_bpe(const Json& model, const std::string& where) {
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

// Tokens are looked up by the bytes that bytes_of(their text) gives: first among the plain ones.
template <class BytesOf>
Merges read_merges(const Json& model, const Vocabulary& plain, const Vocabulary& all,
                   const std::string& where, BytesOf&& bytes_of) {
  const Json& list = member(model, "merges", where);
  REQUIRE(list.is_array(), where, ".merges: expected a list, found ", json_kind(list));
  Merges merges;
  merges.reserve(static_cast<int64_t>(list.size()));
  int64_t number = 0;
  const auto id_of = [&](const std::string& bytes, const std::string& shown) {
    std::optional<int32_t> id = plain.find(bytes);
    if (!id) id = all.find(bytes);
    REQUIRE(id, where, ".merges: number ", number, " needs the token '", shown,
            "', which the vocabulary lacks");
    return *id;
  };
  for (const Json& item : list) {
    const auto [left, right] = read_merge(item, number, where);
    const std::string left_bytes = bytes_of(left), right_bytes = bytes_of(right);
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

// A token that a character tokenizer may have.
bool is_single(const std::string& token, const AddedTokens& added, int32_t id) {
  return added.find_id(id) || byte_of_token_name(token) ||
         decode_utf8(token, 0).length == static_cast<int64_t>(token.size());
}

// Characters (or their bytes) as they are: no merges, no splitting, no normalising, no unknown token.
bool is_char_tokenizer(const Json& json, const Json& model, const AddedTokens& added,
                       const std::string& where) {
  for (const char* key : {"pre_tokenizer", "normalizer"})
    if (!member_or_null(json, key, where).is_null()) return false;
  const Json& vocab = member(model, "vocab", where);
  if (!member_or_null(model, "merges", where).empty() ||
      !member_or_null(model, "unk_token", where).is_null() || !vocab.is_object())
    return false;
  for (const auto& [token, id] : vocab.get_ref<const Json::object_t&>())
    if (token.empty() || !id.is_number_integer() || !is_single(token, added, id.get<int32_t>()))
      return false;
  return true;
}

// Those of a vocabulary that was read before which stand in the byte alphabet and were not added.
Vocabulary plain_tokens(const Json& model, const AddedTokens& added) {
  Vocabulary plain;
  for (const auto& [token, value] : model.at("vocab").get_ref<const Json::object_t&>()) {
    const auto id = value.get<int32_t>();
    const auto bytes = added.find_id(id) ? std::nullopt : from_byte_alphabet(token);
    if (bytes && !bytes->empty()) plain.add(id, *bytes);
  }
  return plain;
}

std::unique_ptr<Tokenizer> read_byte_level(const Json& json, const Json& model, AddedTokens added,
                                           IsolatingPatterns patterns, const std::string& where) {
  BpeParts parts;
  parts.vocabulary = read_vocabulary(model, added, where, bytes_of_token);
  parts.plain = plain_tokens(model, added);
  parts.merges = read_merges(model, parts.plain, parts.vocabulary, where, bytes_of_token);
  for (int32_t byte = 0; byte < 256; ++byte) {
    const char text = static_cast<char>(byte);
    const int32_t id = parts.plain.find({&text, 1}).value_or(-1);
    REQUIRE(!parts.merges.rules().empty() || id >= 0, where, ".vocab: there is no token for byte ",
            byte);
    parts.merges.set_byte_id(static_cast<uint8_t>(byte), id);
  }
  parts.added = std::move(added);
  parts.patterns = std::move(patterns.patterns);
  parts.prefix_space = patterns.prefix_space;
  parts.normalizers = NormalizerList::read(member_or_null(json, "normalizer", where), where);
  parts.ignore_merges = get_or<bool>(model, "ignore_merges", false, where);
  parts.frame = frame_of(json);
  return std::make_unique<BpeTokenizer>(std::move(parts));
}

// [["token", score], ...] of a Unigram model.
void read_scored(const Json& vocab, const std::string& where, PipelineParts& parts) {
  REQUIRE(vocab.is_array() && vocab.size() <= Vocabulary::kMaxSize, where,
          ".vocab: expected a list of tokens and scores");
  for (const Json& entry : vocab) {
    REQUIRE(entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_number(),
            where, ".vocab: number ", parts.spellings.size(), " is no [\"token\", score]");
    parts.spellings.push_back(entry[0].get<std::string>());
    parts.scores.push_back(entry[1].get<double>());
  }
}

void read_spellings(const Json& model, const AddedTokens& added, const std::string& where,
                    PipelineParts& parts) {
  const Vocabulary all =
      read_vocabulary(model, AddedTokens(), where, [](const std::string& token) { return token; });
  parts.spellings.resize(static_cast<size_t>(all.size()));
  for (int32_t id = 0; id < all.size(); ++id) {
    const AddedToken* special = added.find_id(id);
    REQUIRE(!special || all.bytes(id).empty() || special->text == all.bytes(id), where,
            ".vocab: id ", id, " is '", all.bytes(id), "' here and '", special ? special->text : "",
            "' among added_tokens");
    parts.spellings[static_cast<size_t>(id)] = all.bytes(id);
  }
}

std::unique_ptr<Tokenizer> read_pipeline(const Json& json, const Json& model, AddedTokens added,
                                         const std::string& type, const std::string& where) {
  const std::string model_where = where + ": model";
  PipelineParts parts;
  if (type == "Unigram")
    read_scored(member(model, "vocab", model_where), model_where, parts);
  else
    read_spellings(model, added, model_where, parts);
  if (type == "BPE") {
    Vocabulary spellings;
    for (size_t id = 0; id < parts.spellings.size(); ++id)
      if (!parts.spellings[id].empty())
        spellings.add(static_cast<int32_t>(id), parts.spellings[id]);
    parts.merges = read_merges(model, spellings, spellings, model_where,
                               [](const std::string& token) { return token; });
  }
  parts.added = std::move(added);
  parts.frame = frame_of(json);
  parts.frame["model"]["type"] = type;
  return std::make_unique<PipelineTokenizer>(std::move(parts), where);
}

std::unique_ptr<Tokenizer> build(const Json& json, const std::string& where) {
  const Json& model = member(json, "model", where);
  const std::string model_where = where + ": model";
  REQUIRE(model.is_object(), model_where, ": expected an object, found ", json_kind(model));
  const std::string type = model_type(model, model_where);
  if (type == "BPE") check_bpe(model, model_where);
  AddedTokens added = read_added_tokens(member_or_null(json, "added_tokens", where), where);
  const Surround surround =
      read_post_processor(member_or_null(json, "post_processor", where), where);
  const Json& pre_tokenizer = member_or_null(json, "pre_tokenizer", where);
  auto patterns = type == "BPE" ? isolating_patterns(pre_tokenizer, where) : std::nullopt;
  std::unique_ptr<Tokenizer> tokenizer;
  if (patterns)
    tokenizer = read_byte_level(json, model, std::move(added), std::move(*patterns), model_where);
  else if (type == "BPE" && is_char_tokenizer(json, model, added, where))
    tokenizer = read_char(model, std::move(added), model_where);
  else
    tokenizer = read_pipeline(json, model, std::move(added), type, where);
  tokenizer->set_surround(ids_of(surround.before, *tokenizer, where),
                          ids_of(surround.after, *tokenizer, where));
  return tokenizer;
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

}  // namespace malssi
