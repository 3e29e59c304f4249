// Reading: from the keys of a GGUF file to a tokenizer.
#include "text/gguf_vocabulary.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "text/bpe_tokenizer.h"
#include "text/byte_alphabet.h"
#include "text/gguf_patterns.h"
#include "text/pipeline_tokenizer.h"
#include "text/sentencepiece_frame.h"
#include "text/tokenizer_json.h"
#include "text/unknown.h"

namespace malssi {
namespace {

constexpr std::string_view kSpace = "\u2581";
constexpr int64_t kAnyLength = 1'000'000;  // WordPiece in GGUF knows no longest word

// Values of tokenizer.ggml.token_type.
constexpr int32_t kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kByte = 6;

// Texts that llama.cpp takes for control tokens whatever type the file gives them: ends of answers,
// and the marks of code to be filled in.
constexpr std::array<std::string_view, 47> kControlTexts = {
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|flush|>",
    "<|calls|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "</s>",
    "<|eom_id|>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "[EOS]",
    "<|end_of_text|>",
    "<end_of_utterance>",
    "<eos>",
    "<turn|>",
    "<|tool_response>",
    "<\uFF5Cend\u2581of\u2581sentence\uFF5C>",
    "[e~[",
    "<|fim_prefix|>",
    "<fim-prefix>",
    "<fim_prefix>",
    "<\uFF5Cfim\u2581begin\uFF5C>",
    "<PRE>",
    "\u2581<PRE>",
    "<|code_prefix|>",
    "<|fim_suffix|>",
    "<fim-suffix>",
    "<fim_suffix>",
    "<\uFF5Cfim\u2581hole\uFF5C>",
    "<SUF>",
    "\u2581<SUF>",
    "<|code_suffix|>",
    "<|fim_middle|>",
    "<fim-middle>",
    "<fim_middle>",
    "<\uFF5Cfim\u2581end\uFF5C>",
    "<MID>",
    "\u2581<MID>",
    "<|code_middle|>",
    "<|fim_pad|>",
    "<|fim_repo|>",
    "<|repo_name|>",
    "<|file_sep|>"};

class Reader {
 public:
  Reader(const GgufVocabulary& vocabulary, std::string_view where) : v_(vocabulary), where_(where) {
    const size_t count = v_.tokens.size();
    REQUIRE(count > 0 && count <= Vocabulary::kMaxSize, where_, ": tokenizer.ggml.tokens has ",
            count, " entries, expected 1 .. ", Vocabulary::kMaxSize);
    REQUIRE(v_.scores.empty() || v_.scores.size() >= count, where_, ": there are ", count,
            " tokens, but only ", v_.scores.size(), " scores");
    REQUIRE(v_.types.empty() || v_.types.size() >= count, where_, ": there are ", count,
            " tokens, but only ", v_.types.size(), " token types");
    if (v_.model == "llama") defaults_ = {.bos = 1, .eos = 2, .unknown = 0, .add_bos = true};
    if (v_.model == "t5") defaults_ = {.eos = 1, .unknown = 2, .pad = 0, .add_eos = true};
    if (v_.model == "bert") defaults_ = {.bos = 101, .unknown = 100, .pad = 0};
    if (v_.model == "gemma4") defaults_ = {.add_bos = true};
    if (v_.model == "gpt2") defaults_ = {.add_bos = gguf_pattern(v_.pre, where_).add_bos};
    gemma4_ = std::find(v_.tokens.begin(), v_.tokens.end(), "<|tool_response>") != v_.tokens.end();
  }

  std::unique_ptr<Tokenizer> read() {
    std::unique_ptr<Tokenizer> tokenizer;
    if (v_.model == "llama" || v_.model == "t5")
      tokenizer = read_sentencepiece();
    else if (v_.model == "gpt2")
      tokenizer = read_byte_level();
    else if (v_.model == "gemma4")
      tokenizer = read_character_bpe();
    else if (v_.model == "bert")
      tokenizer = read_wordpiece();
    else
      throw Error(concat(where_, ": tokenizer.ggml.model is '", v_.model,
                         "', which is not supported (supported: llama, gpt2, gemma4, bert, t5)"));
    give_roles(*tokenizer);
    return tokenizer;
  }

 private:
  struct Defaults {
    int32_t bos = -1, eos = -1, unknown = -1, pad = -1;
    bool add_bos = false, add_eos = false;
  };

  int32_t size() const { return static_cast<int32_t>(v_.tokens.size()); }
  // The id that the file gives, else the one that its kind has, where that is no ordinary token.
  int32_t role(int32_t given, int32_t fallback) const {
    const int32_t id = given >= 0 ? given : fallback;
    if (id < 0 || id >= size()) return -1;
    const bool ordinary =
        v_.model != "bert" && !v_.types.empty() && v_.types[static_cast<size_t>(id)] == kNormal;
    return given >= 0 || !ordinary ? id : -1;
  }
  int32_t unknown() const { return role(v_.unk_id, defaults_.unknown); }
  int32_t type(int32_t id) const {
    const std::string& token = v_.tokens[static_cast<size_t>(id)];
    if (gemma4_ && token == "</s>") return kNormal;
    if (std::find(kControlTexts.begin(), kControlTexts.end(), token) != kControlTexts.end())
      return kControl;
    if (!v_.types.empty()) return v_.types[static_cast<size_t>(id)];
    if (v_.model == "llama" && byte_of_token_name(token)) return kByte;
    if (id == unknown()) return kUnknown;
    return id == v_.bos_id || id == v_.eos_id || id == v_.pad_id || id == v_.sep_id ||
                   id == v_.cls_id || id == v_.mask_id
               ? kControl
               : kNormal;
  }
  // A token without a text still has its id.
  std::string token(int32_t id) const {
    const std::string& text = v_.tokens[static_cast<size_t>(id)];
    return text.empty() ? concat("[EMPTY_", id, "]") : text;
  }

  AddedTokens added() const {
    AddedTokens tokens;
    for (int32_t id = 0; id < size(); ++id)
      if (const int32_t kind = type(id);
          kind == kUnknown || kind == kControl || kind == kUserDefined)
        tokens.add({.id = id, .text = token(id), .special = kind != kUserDefined});
    return tokens;
  }

  // What stands around a text, unless the file says otherwise.
  std::vector<int32_t> before() const {
    if (v_.model == "bert") return ids(v_.add_bos.value_or(true), begin_id());
    return ids(v_.add_bos.value_or(defaults_.add_bos), begin_id());
  }
  std::vector<int32_t> after() const {
    if (v_.model == "bert") return ids(v_.add_sep.value_or(true), role(v_.sep_id, 102));
    std::vector<int32_t> out = ids(v_.add_eos.value_or(defaults_.add_eos), end_id());
    if (out.empty()) out = ids(v_.add_sep.value_or(false), role(v_.sep_id, -1));
    return out;
  }
  int32_t begin_id() const {
    if (v_.model == "bert" && v_.cls_id >= 0) return role(v_.cls_id, -1);
    return role(v_.bos_id, defaults_.bos);
  }
  int32_t end_id() const { return role(v_.eos_id, defaults_.eos); }
  static std::vector<int32_t> ids(bool wanted, int32_t id) {
    return wanted && id >= 0 ? std::vector<int32_t>{id} : std::vector<int32_t>{};
  }

  void give_roles(Tokenizer& tokenizer) const {
    if (v_.model != "bert" && begin_id() >= 0) tokenizer.set_bos_id(begin_id());
    if (end_id() >= 0) tokenizer.set_eos_id(end_id());
    if (const int32_t pad = role(v_.pad_id, defaults_.pad); pad >= 0) tokenizer.set_pad_id(pad);
    tokenizer.set_surround(before(), after());
  }

  Json with_surround(Json frame) const {
    Vocabulary texts;
    for (int32_t id = 0; id < size(); ++id) texts.add(id, token(id));
    const Json surround = surround_json(texts, before(), after());
    if (!surround.is_null()) frame["post_processor"] = surround;
    return frame;
  }

  std::unique_ptr<Tokenizer> read_sentencepiece() const {
    const bool unigram = v_.model == "t5";
    REQUIRE(!v_.scores.empty(), where_, ": tokenizer.ggml.scores is missing, which a '", v_.model,
            "' vocabulary needs");
    PipelineParts parts;
    bool bytes = false;
    for (int32_t id = 0; id < size(); ++id) {
      parts.spellings.push_back(token(id));
      parts.scores.push_back(v_.scores[static_cast<size_t>(id)]);
      bytes = bytes || type(id) == kByte;
    }
    SentencePieceFrame frame{.type = unigram ? "Unigram" : "BPE",
                             .unknown = unknown() >= 0 ? token(unknown()) : std::string(),
                             .unknown_id = unknown(),
                             .byte_fallback = bytes,
                             .space_before = v_.add_space_prefix.value_or(true),
                             .remove_extra_spaces = v_.remove_extra_whitespaces.value_or(false),
                             .charsmap = v_.precompiled_charsmap};
    parts.added = added();
    parts.frame = with_surround(sentencepiece_frame(frame));
    return std::make_unique<PipelineTokenizer>(std::move(parts), std::string(where_));
  }

  // The merges, as ids of tokens by the text that text_of(spelling) gives, first among the plain ones.
  template <class TextOf>
  Merges merges(const Vocabulary& plain, const Vocabulary& all, TextOf&& text_of) const {
    const auto find = [&](const std::string& text) {
      const auto id = plain.find(text);
      return id ? id : all.find(text);
    };
    Merges merges;
    merges.reserve(std::ssize(v_.merges));
    for (const std::string& line : v_.merges) {
      const size_t space = line.find(' ', 1);
      REQUIRE(space != line.npos && space + 1 < line.size(), where_, ": the merge '", line,
              "' is no pair of tokens");
      const std::string left = text_of(line.substr(0, space)),
                        right = text_of(line.substr(space + 1));
      const auto left_id = find(left), right_id = find(right), result = find(left + right);
      REQUIRE(left_id && right_id && result, where_, ": the merge '", line,
              "' needs a token that the vocabulary lacks");
      merges.add({*left_id, *right_id, *result});
    }
    return merges;
  }

  std::unique_ptr<Tokenizer> read_byte_level() const {
    GgufPattern pattern = gguf_pattern(v_.pre, where_);
    const auto bytes_of = [](const std::string& spelling) {
      return from_byte_alphabet(spelling).value_or(spelling);
    };
    BpeParts parts;
    parts.added = added();
    for (int32_t id = 0; id < size(); ++id) {
      const std::string text = token(id);
      const auto bytes = parts.added.find_id(id) ? std::nullopt : from_byte_alphabet(text);
      parts.vocabulary.add(id, bytes.value_or(text));
      if (bytes) parts.plain.add(id, *bytes);
    }
    parts.merges = merges(parts.plain, parts.vocabulary, bytes_of);
    for (int32_t byte = 0; byte < 256; ++byte) {
      const char text = static_cast<char>(byte);
      parts.merges.set_byte_id(static_cast<uint8_t>(byte),
                               parts.plain.find({&text, 1}).value_or(-1));
    }
    parts.ignore_merges = pattern.ignore_merges;
    parts.frame = with_surround(byte_level_frame(pattern.patterns));
    parts.frame["model"]["ignore_merges"] = pattern.ignore_merges;
    parts.patterns = std::move(pattern.patterns);
    return std::make_unique<BpeTokenizer>(std::move(parts));
  }

  // Gemma 4: characters as SentencePiece spells them, but with a list of merges.
  std::unique_ptr<Tokenizer> read_character_bpe() const {
    PipelineParts parts;
    parts.added = added();
    Vocabulary all;
    bool bytes = false;
    for (int32_t id = 0; id < size(); ++id) {
      parts.spellings.push_back(token(id));
      all.add(id, token(id));
      bytes = bytes || byte_of_token_name(token(id));
    }
    parts.merges = merges(all, all, [](const std::string& spelling) { return spelling; });
    parts.frame = with_surround(
        sentencepiece_frame({.unknown = unknown() >= 0 ? token(unknown()) : std::string(),
                             .byte_fallback = bytes,
                             .space_before = v_.add_space_prefix.value_or(false)}));
    parts.frame["pre_tokenizer"] = {{"type", "Split"},
                                    {"pattern", {{"Regex", "\\n+"}}},
                                    {"behavior", "Isolated"},
                                    {"invert", false}};
    return std::make_unique<PipelineTokenizer>(std::move(parts), std::string(where_));
  }

  // In these files a word's first token starts with a visible space, and the others stand bare.
  std::unique_ptr<Tokenizer> read_wordpiece() const {
    PipelineParts parts;
    bool capitals = false;
    for (int32_t id = 0; id < size(); ++id) {
      std::string text = token(id);
      const bool bracketed = text.starts_with('[') && text.ends_with(']') && text.size() > 2;
      if (text.starts_with(kSpace))
        text.erase(0, kSpace.size());
      else if (!bracketed && type(id) != kControl && type(id) != kUnknown)
        text = concat("##", text);
      capitals = capitals || (!bracketed && std::any_of(text.begin(), text.end(), [](char c) {
                   return c >= 'A' && c <= 'Z';
                 }));
      parts.spellings.push_back(text.empty() ? std::string(kSpace) : std::move(text));
    }
    REQUIRE(unknown() >= 0, where_, ": there is no unknown token");
    parts.added = added();
    for (const int32_t id :
         {unknown(), begin_id(), role(v_.sep_id, 102), role(v_.pad_id, 0), role(v_.mask_id, 103)})
      if (id >= 0 && !parts.added.find_id(id))
        parts.added.add({.id = id, .text = parts.spellings[static_cast<size_t>(id)]});
    parts.frame = with_surround(wordpiece_frame(
        {.unknown = token(unknown()), .lower_case = !capitals, .max_characters = kAnyLength}));
    return std::make_unique<PipelineTokenizer>(std::move(parts), std::string(where_));
  }

  const GgufVocabulary& v_;
  std::string_view where_;
  Defaults defaults_;
  bool gemma4_ = false;  // has "</s>" as a mark of HTML
};

}  // namespace

std::unique_ptr<Tokenizer> tokenizer_from_gguf(const GgufVocabulary& vocabulary,
                                               std::string_view where) {
  return Reader(vocabulary, where).read();
}

}  // namespace malssi
