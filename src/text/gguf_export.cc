// Writing: from a tokenizer to the keys of a GGUF file.
#include <algorithm>
#include <array>
#include <unordered_set>

#include "base/base64.h"
#include "base/error.h"
#include "text/bpe_tokenizer.h"
#include "text/char_tokenizer.h"
#include "text/gguf_patterns.h"
#include "text/gguf_vocabulary.h"
#include "text/normalizer_steps.h"
#include "text/pipeline_tokenizer.h"
#include "text/unknown.h"

namespace malssi {
namespace {

constexpr std::string_view kSpace = "\u2581";
constexpr int32_t kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6;
// Tokens that end a turn of a conversation.
constexpr std::array<std::string_view, 8> kTurnEnds = {
    "<|eot_id|>",    "<|eom_id|>",      "<|im_end|>",    "<|end|>",
    "<end_of_turn>", "<|end_of_text|>", "<|endoftext|>", "<|eot|>"};

std::string with_visible_spaces(std::string_view text) {
  return ReplaceText(" ", std::string(kSpace)).apply(text);
}

// The tokens that were added, and the type of each.
void put_added(const Tokenizer& tokenizer, GgufVocabulary& out) {
  for (const AddedToken& token : tokenizer.added_tokens()) {
    const auto id = static_cast<size_t>(token.id);
    out.tokens[id] = token.text;
    out.types[id] = token.special ? kControl : kUserDefined;
    const bool ends = std::find(kTurnEnds.begin(), kTurnEnds.end(), token.text) != kTurnEnds.end();
    if (ends && token.special && token.id != tokenizer.eos_id()) out.eog_ids.push_back(token.id);
  }
}

// Ids without a token need a text of their own.
void name_gaps(GgufVocabulary& out) {
  for (size_t id = 0; id < out.tokens.size(); ++id)
    if (out.tokens[id].empty()) {
      out.tokens[id] = concat("[UNUSED_", id, "]");
      out.types[id] = kUnused;
    }
  std::unordered_set<std::string_view> seen;
  for (size_t id = 0; id < out.tokens.size(); ++id)
    REQUIRE(seen.insert(out.tokens[id]).second, "writing GGUF: token ", id, " is spelt '",
            out.tokens[id], "' like another one, which llama.cpp refuses");
}

bool is_only(const std::vector<int32_t>& ids, int32_t id) {
  return id >= 0 && ids.size() == 1 && ids[0] == id;
}

void put_roles(const Tokenizer& tokenizer, GgufVocabulary& out) {
  out.bos_id = tokenizer.bos_id();
  out.eos_id = tokenizer.eos_id();
  out.pad_id = tokenizer.pad_id();
  const auto &before = tokenizer.before(), &after = tokenizer.after();
  out.add_bos = is_only(before, out.bos_id);
  out.add_eos = is_only(after, out.eos_id);
  REQUIRE((before.empty() || *out.add_bos) && (after.empty() || *out.add_eos),
          "writing GGUF: only the begin-of-text token may stand before a text and only the "
          "end-of-text token after it; this tokenizer puts other ones there");
}

GgufVocabulary empty_vocabulary(const Tokenizer& tokenizer, std::string_view model) {
  GgufVocabulary out;
  out.model = model;
  out.tokens.resize(static_cast<size_t>(tokenizer.vocab_size()));
  out.types.resize(out.tokens.size(), kNormal);
  return out;
}

GgufVocabulary of_byte_level(const BpeTokenizer& tokenizer) {
  const bool merges = tokenizer.merge_count() > 0;
  const auto name = merges ? gguf_pattern_name(tokenizer.patterns(), tokenizer.ignores_merges())
                           : std::optional<std::string>("gpt-2");  // bytes stay bytes in any word
  REQUIRE(name, "writing GGUF: llama.cpp knows no way of splitting like '", tokenizer.pattern(),
          "'", tokenizer.ignores_merges() ? " with ignore_merges" : "",
          "; train with the pattern gpt2, llama3 or qwen2");
  REQUIRE(
      !tokenizer.has_prefix_space(),
      "writing GGUF: a byte-level tokenizer that puts a space before a text cannot be expressed");
  const std::vector<std::string>& steps = tokenizer.normalizers().names();
  REQUIRE(steps.empty() || steps == std::vector<std::string>{"NFC"},
          "writing GGUF: llama.cpp knows no normalisation for byte-level BPE");
  GgufVocabulary out = empty_vocabulary(tokenizer, "gpt2");
  out.pre = *name;
  for (int32_t id = 0; id < tokenizer.vocab_size(); ++id)
    out.tokens[static_cast<size_t>(id)] = tokenizer.spelling(id);
  for (const Merges::Rule& rule : tokenizer.rules())
    out.merges.push_back(out.tokens[static_cast<size_t>(rule.left)] + " " +
                         out.tokens[static_cast<size_t>(rule.right)]);
  put_added(tokenizer, out);
  put_roles(tokenizer, out);
  return out;
}

// SentencePiece joins any two neighbours whose text is a token; a list of merges says the same only
// where it has all these pairs.
void check_all_pairs(const PipelineTokenizer& tokenizer) {
  if (!tokenizer.scores().empty()) return;
  Merges listed;
  for (const Merges::Rule& rule : tokenizer.rules()) listed.add(rule);
  std::vector<bool> added(static_cast<size_t>(tokenizer.vocab_size()));
  for (const AddedToken& token : tokenizer.added_tokens())
    added[static_cast<size_t>(token.id)] = true;
  for (int32_t id = 0; id < tokenizer.spellings().size(); ++id) {
    const std::string_view text = tokenizer.spellings().bytes(id);
    const auto is_plain = [&](std::optional<int32_t> part) {
      return part && !added[static_cast<size_t>(*part)];
    };
    if (!is_plain(id) || byte_of_token_name(text)) continue;
    for (size_t cut = 1; cut < text.size(); ++cut) {
      if ((static_cast<uint8_t>(text[cut]) & 0xC0) == 0x80) continue;
      const auto left = tokenizer.spellings().find(text.substr(0, cut)),
                 right = tokenizer.spellings().find(text.substr(cut));
      REQUIRE(!left || !right || listed.find(*left, *right).result >= 0 || !is_plain(left) ||
                  !is_plain(right),
              "writing GGUF: '", text, "' is a token, but its halves '", text.substr(0, cut),
              "' and '", text.substr(cut), "' never merge, which GGUF's \"llama\" cannot express");
    }
  }
}

// A token's score must put it in the order of the merges that make it.
std::vector<float> bpe_scores(const PipelineTokenizer& tokenizer) {
  std::vector<float> scores(static_cast<size_t>(tokenizer.vocab_size()), 0.0f);
  if (!tokenizer.scores().empty()) {
    std::copy(tokenizer.scores().begin(), tokenizer.scores().end(), scores.begin());
    return scores;
  }
  check_all_pairs(tokenizer);
  std::vector<bool> known(scores.size());
  float next = 0;
  for (const Merges::Rule& rule : tokenizer.rules()) {
    const auto id = static_cast<size_t>(rule.result);
    if (known[id]) continue;
    known[id] = true;
    scores[id] = next--;
  }
  REQUIRE(next > -(1 << 24), "writing GGUF: too many tokens for scores of 32 bits");
  return scores;
}

// The single steps of a part of the frame, or of a Sequence there.
std::vector<Json> steps_of(const Json& frame, const char* part, const char* list) {
  const Json json = get_or<Json>(frame, part, nullptr, "tokenizer");
  if (json.is_null()) return {};
  if (!json.contains(list)) return {json};
  return {json.at(list).begin(), json.at(list).end()};
}

bool replaces_spaces(const Json& step) {
  const Json pattern = get_or<Json>(step, "pattern", Json::object(), "tokenizer");
  return pattern.contains("String") && pattern.at("String") == " ";
}

// What happens to a text before SentencePiece's model sees it, or an Error.
void put_normalizer(const Json& frame, GgufVocabulary& out) {
  out.add_space_prefix = out.remove_extra_whitespaces = false;
  for (const Json& step : steps_of(frame, "normalizer", "normalizers")) {
    const auto type = get<std::string>(step, "type", "normalizer");
    const Json pattern = get_or<Json>(step, "pattern", Json::object(), "normalizer");
    if (type == "Prepend" && step.at("prepend") == kSpace) {
      out.add_space_prefix = true;
    } else if (type == "Precompiled") {
      const auto blob =
          from_base64(get_or<std::string>(step, "precompiled_charsmap", "", "normalizer"));
      out.precompiled_charsmap = blob.value_or("");
    } else if (type == "Strip" || (type == "Replace" && pattern.contains("Regex"))) {
      out.remove_extra_whitespaces = true;
    } else {
      REQUIRE(type == "Replace" && replaces_spaces(step) && step.at("content") == kSpace,
              "writing GGUF: the normalizer '", type, "' cannot be expressed");
    }
  }
}

// The same of its splitting. A Split at spaces finds none where they were replaced before.
void put_pre_tokenizer(const Json& frame, GgufVocabulary& out) {
  for (const Json& step : steps_of(frame, "pre_tokenizer", "pretokenizers")) {
    const auto type = get<std::string>(step, "type", "pre_tokenizer");
    if (type == "Metaspace") {
      const bool prefix = get_or<bool>(step, "add_prefix_space", true, "pre_tokenizer");
      out.add_space_prefix =
          get_or<std::string>(step, "prepend_scheme", prefix ? "always" : "never",
                              "pre_tokenizer") != "never";
    } else if (type == "WhitespaceSplit") {
      out.remove_extra_whitespaces = true;
    } else {
      REQUIRE(type == "Split" && replaces_spaces(step), "writing GGUF: the pre-tokenizer '", type,
              "' cannot be expressed for a SentencePiece vocabulary");
    }
  }
}

GgufVocabulary of_sentencepiece(const PipelineTokenizer& tokenizer) {
  const bool unigram = tokenizer.model() == PipelineTokenizer::Model::unigram;
  GgufVocabulary out = empty_vocabulary(tokenizer, unigram ? "t5" : "llama");
  const Json& frame = tokenizer.frame();
  put_normalizer(frame, out);
  put_pre_tokenizer(frame, out);
  const bool bytes = get_or<bool>(frame.at("model"), "byte_fallback", false, "tokenizer");
  REQUIRE(bytes || unigram,
          "writing GGUF: llama.cpp wants byte tokens in a SentencePiece BPE vocabulary");
  REQUIRE(unigram || (out.precompiled_charsmap.empty() && !*out.remove_extra_whitespaces),
          "writing GGUF: llama.cpp does not normalise for a SentencePiece BPE vocabulary, which "
          "this tokenizer wants");
  if (unigram)
    out.scores.assign(tokenizer.scores().begin(), tokenizer.scores().end());
  else
    out.scores = bpe_scores(tokenizer);
  out.scores.resize(out.tokens.size(), 0.0f);
  for (int32_t id = 0; id < tokenizer.spellings().size(); ++id) {
    const auto at = static_cast<size_t>(id);
    out.tokens[at] = tokenizer.spellings().bytes(id);
    if (bytes && byte_of_token_name(out.tokens[at])) out.types[at] = kByte;
  }
  put_added(tokenizer, out);
  const Json& model = frame.at("model");
  const auto unknown = get_or<std::string>(model, "unk_token", "", "tokenizer");
  out.unk_id = unigram ? get_or<int32_t>(model, "unk_id", -1, "tokenizer")
                       : tokenizer.spellings().find(unknown).value_or(-1);
  if (out.unk_id >= 0) out.types[static_cast<size_t>(out.unk_id)] = kUnknown;
  put_roles(tokenizer, out);
  return out;
}

GgufVocabulary of_wordpiece(const PipelineTokenizer& tokenizer) {
  GgufVocabulary out = empty_vocabulary(tokenizer, "bert");
  for (int32_t id = 0; id < tokenizer.spellings().size(); ++id) {
    const std::string_view text = tokenizer.spellings().bytes(id);
    const bool bracketed = text.size() > 2 && text.starts_with('[') && text.ends_with(']');
    auto& token = out.tokens[static_cast<size_t>(id)];
    token = text.starts_with("##") && text.size() > 2 ? text.substr(2) : text;
    if (!text.empty() && !bracketed && !(text.starts_with("##") && text.size() > 2))
      token = concat(kSpace, text);
  }
  put_added(tokenizer, out);
  const auto id_of = [&](std::string_view text) {
    return tokenizer.spellings().find(text).value_or(-1);
  };
  out.unk_id = id_of(get<std::string>(tokenizer.frame().at("model"), "unk_token", "tokenizer"));
  out.cls_id = out.bos_id = id_of("[CLS]");
  out.sep_id = id_of("[SEP]");
  out.mask_id = id_of("[MASK]");
  out.pad_id = tokenizer.pad_id();
  return out;
}

// Characters are SentencePiece tokens that never merge.
GgufVocabulary of_characters(const CharTokenizer& tokenizer) {
  GgufVocabulary out = empty_vocabulary(tokenizer, "llama");
  REQUIRE(tokenizer.byte_fallback(),
          "writing GGUF: llama.cpp wants byte tokens in a vocabulary of characters; train it with "
          "--byte-fallback");
  out.scores.resize(out.tokens.size(), 0.0f);
  out.add_space_prefix = false;
  for (int32_t id = 0; id < tokenizer.vocab_size(); ++id) {
    const std::string_view bytes = tokenizer.token_bytes(id);
    const auto at = static_cast<size_t>(id);
    if (bytes.empty() || tokenizer.byte_id(static_cast<uint8_t>(bytes[0])) != id) {
      out.tokens[at] = with_visible_spaces(bytes);
      continue;
    }
    out.tokens[at] = byte_token_name(static_cast<uint8_t>(bytes[0]));
    out.types[at] = kByte;
  }
  put_added(tokenizer, out);
  put_roles(tokenizer, out);
  return out;
}

GgufVocabulary of_any(const Tokenizer& tokenizer) {
  if (const auto* bytes = dynamic_cast<const BpeTokenizer*>(&tokenizer))
    return of_byte_level(*bytes);
  if (const auto* characters = dynamic_cast<const CharTokenizer*>(&tokenizer))
    return of_characters(*characters);
  const auto* pipeline = dynamic_cast<const PipelineTokenizer*>(&tokenizer);
  REQUIRE(pipeline, "writing GGUF: a tokenizer of ", tokenizer.kind(), " cannot be expressed");
  return pipeline->model() == PipelineTokenizer::Model::wordpiece ? of_wordpiece(*pipeline)
                                                                  : of_sentencepiece(*pipeline);
}

}  // namespace

GgufVocabulary gguf_vocabulary(const Tokenizer& tokenizer) {
  GgufVocabulary out = of_any(tokenizer);
  name_gaps(out);
  return out;
}

}  // namespace malssi
