#include "text/sentencepiece_frame.h"

#include "base/base64.h"

namespace malssi {
namespace {

constexpr const char* kSpace = "\u2581";

Json replace(const char* kind, const char* pattern, const char* content) {
  return {{"type", "Replace"}, {"pattern", {{kind, pattern}}}, {"content", content}};
}

Json sequence(const char* member, Json steps) {
  return {{"type", "Sequence"}, {member, std::move(steps)}};
}

Json frame(Json normalizer, Json pre_tokenizer, Json decoder, Json model) {
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", Json::array()},
          {"normalizer", std::move(normalizer)},
          {"pre_tokenizer", std::move(pre_tokenizer)},
          {"post_processor", nullptr},
          {"decoder", std::move(decoder)},
          {"model", std::move(model)}};
}

Json bpe_model(const SentencePieceFrame& options) {
  return {{"type", "BPE"},
          {"dropout", nullptr},
          {"unk_token", options.unknown.empty() ? Json(nullptr) : Json(options.unknown)},
          {"continuing_subword_prefix", nullptr},
          {"end_of_word_suffix", nullptr},
          {"fuse_unk", true},
          {"byte_fallback", options.byte_fallback},
          {"ignore_merges", false},
          {"vocab", Json::object()},
          {"merges", Json::array()}};
}

Json unigram_model(const SentencePieceFrame& options) {
  return {{"type", "Unigram"},
          {"unk_id", options.unknown_id < 0 ? Json(nullptr) : Json(options.unknown_id)},
          {"byte_fallback", options.byte_fallback},
          {"vocab", Json::array()}};
}

}  // namespace

Json sentencepiece_frame(const SentencePieceFrame& options) {
  Json steps = Json::array();
  if (!options.charsmap.empty())
    steps.push_back(
        {{"type", "Precompiled"}, {"precompiled_charsmap", to_base64(options.charsmap)}});
  if (options.remove_extra_spaces) {
    steps.push_back(replace("Regex", " {2,}", " "));
    steps.push_back(replace("Regex", R"(\A | \z)", ""));
  }
  if (options.space_before) steps.push_back({{"type", "Prepend"}, {"prepend", kSpace}});
  steps.push_back(replace("String", " ", kSpace));
  Json decoders = Json::array();
  decoders.push_back(replace("String", kSpace, " "));
  decoders.push_back({{"type", "ByteFallback"}});
  decoders.push_back({{"type", "Fuse"}});
  if (options.space_before)
    decoders.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  return frame(sequence("normalizers", std::move(steps)), nullptr,
               sequence("decoders", std::move(decoders)),
               options.type == "BPE" ? bpe_model(options) : unigram_model(options));
}

Json wordpiece_frame(const WordPieceFrame& options) {
  return frame({{"type", "BertNormalizer"},
                {"clean_text", true},
                {"handle_chinese_chars", true},
                {"strip_accents", nullptr},
                {"lowercase", options.lower_case}},
               {{"type", "BertPreTokenizer"}},
               {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}},
               {{"type", "WordPiece"},
                {"unk_token", options.unknown},
                {"continuing_subword_prefix", "##"},
                {"max_input_chars_per_word", options.max_characters},
                {"vocab", Json::object()}});
}

}  // namespace malssi
