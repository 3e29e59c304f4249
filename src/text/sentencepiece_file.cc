// SentencePiece's tokenizer.model: a protobuf of pieces (text, score, type), of what the trainer was
// told, and of how text is normalised.
#include <cmath>

#include "base/error.h"
#include "text/gguf_vocabulary.h"
#include "text/normalizer_steps.h"
#include "text/protobuf_reader.h"
#include "text/tokenizer.h"

namespace malssi {
namespace {

constexpr int32_t kUserDefined = 4;

// Field numbers of sentencepiece_model.proto.
enum ModelField { kPieces = 1, kTrainer = 2, kNormalizer = 3 };
enum PieceField { kText = 1, kScore = 2, kType = 3 };
enum TrainerField {
  kModelType = 3,
  kSuffixSpaces = 24,
  kUnk = 40,
  kBos = 41,
  kEos = 42,
  kPad = 43
};
enum NormalizerField { kCharsmap = 2, kDummyPrefix = 3, kRemoveExtra = 4, kEscape = 5 };
enum ModelType { kUnigram = 1, kBpe = 2 };

void read_piece(std::string_view bytes, const std::string& where, GgufVocabulary& out) {
  std::string text;
  float score = 0;
  int64_t type = 1;
  ProtobufReader reader(bytes, where);
  while (const auto field = reader.next()) {
    if (field->number == kText) text = bytes_of(*field, where);
    if (field->number == kScore) score = float_of(*field, where);
    if (field->number == kType) type = integer_of(*field, where);
  }
  REQUIRE(type >= 1 && type <= 6, where, ": piece ", out.tokens.size(), " has the unknown type ",
          type);
  REQUIRE(std::isfinite(score), where, ": the score of piece ", out.tokens.size(), " is no number");
  REQUIRE(out.tokens.size() < Vocabulary::kMaxSize, where, ": more than ", Vocabulary::kMaxSize,
          " pieces");
  // These are looked for in the text as it comes.
  if (type == kUserDefined) text = ReplaceText("\u2581", " ").apply(text);
  out.tokens.push_back(std::move(text));
  out.scores.push_back(score);
  out.types.push_back(static_cast<int32_t>(type));
}

int32_t id_of(const ProtobufField& field, const std::string& where) {
  const int64_t id = integer_of(field, where);
  return id >= 0 && id < Vocabulary::kMaxSize ? static_cast<int32_t>(id) : -1;
}

void read_trainer(std::string_view bytes, const std::string& where, GgufVocabulary& out) {
  ProtobufReader reader(bytes, where);
  while (const auto field = reader.next()) {
    if (field->number == kModelType) {
      const int64_t type = integer_of(*field, where);
      REQUIRE(type == kUnigram || type == kBpe, where, ": SentencePiece model type ", type,
              " is not supported (supported: unigram, bpe)");
      out.model = type == kUnigram ? "t5" : "llama";
    }
    REQUIRE(field->number != kSuffixSpaces || field->value == 0, where,
            ": treat_whitespace_as_suffix is not supported");
    if (field->number == kUnk) out.unk_id = id_of(*field, where);
    if (field->number == kBos) out.bos_id = id_of(*field, where);
    if (field->number == kEos) out.eos_id = id_of(*field, where);
    if (field->number == kPad) out.pad_id = id_of(*field, where);
  }
}

void read_normalizer(std::string_view bytes, const std::string& where, GgufVocabulary& out) {
  ProtobufReader reader(bytes, where);
  while (const auto field = reader.next()) {
    if (field->number == kCharsmap) out.precompiled_charsmap = bytes_of(*field, where);
    if (field->number == kDummyPrefix) out.add_space_prefix = integer_of(*field, where) != 0;
    if (field->number == kRemoveExtra)
      out.remove_extra_whitespaces = integer_of(*field, where) != 0;
    REQUIRE(field->number != kEscape || field->value != 0, where,
            ": a model that does not escape spaces is not supported");
  }
}

}  // namespace

std::unique_ptr<Tokenizer> load_sentencepiece(const fs::path& model) {
  const std::string where = model.string(), bytes = read_file(model);
  // What the format takes for granted where a file is silent.
  GgufVocabulary out;
  out.model = "t5";
  out.unk_id = 0;
  out.bos_id = 1;
  out.eos_id = 2;
  out.add_bos = out.add_eos = false;
  out.add_space_prefix = out.remove_extra_whitespaces = true;
  ProtobufReader reader(bytes, where);
  while (const auto field = reader.next()) {
    if (field->number == kPieces) read_piece(bytes_of(*field, where), where, out);
    if (field->number == kTrainer) read_trainer(bytes_of(*field, where), where, out);
    if (field->number == kNormalizer) read_normalizer(bytes_of(*field, where), where, out);
  }
  REQUIRE(!out.tokens.empty(), where, ": no SentencePiece model, it has no pieces");
  if (out.model == "llama") out.add_bos = true;  // as Llama and Gemma are used
  if (out.model == "t5") out.add_eos = out.eos_id >= 0;
  return tokenizer_from_gguf(out, where);
}

}  // namespace malssi
