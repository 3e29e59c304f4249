// A tokenizer of small parts, as a tokenizer.json describes it: normalise, split, apply the model to
// each piece; and for decoding the bytes that the decoder gives each token. This is the way of
// SentencePiece's BPE (Llama 2, Gemma), Unigram (T5, XLM-R), WordPiece (BERT), and of byte-level BPE
// whose splitting has no fast way of its own.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/decoder.h"
#include "text/normalizer_list.h"
#include "text/pre_tokenizer.h"
#include "text/subword_model.h"
#include "text/tokenizer.h"
#include "text/word_cache.h"
#include "text/worker_pool.h"

namespace malssi {

// What a file says, with tokens as they are spelt there.
struct PipelineParts {
  Json frame;  // the tokenizer.json without vocabulary, merges and added tokens
  std::vector<std::string> spellings;  // by id; empty where there is none
  std::vector<double> scores;  // by id: Unigram's, or those of a SentencePiece BPE; else empty
  Merges merges;               // of a BPE without scores
  AddedTokens added;
};

class PipelineTokenizer : public Tokenizer {
 public:
  enum class Model { bpe, unigram, wordpiece };

  // Error: a part that is not supported; `where` names the file.
  PipelineTokenizer(PipelineParts parts, const std::string& where);

  std::string kind() const override;
  std::string pattern() const override { return ""; }
  int64_t merge_count() const override { return std::ssize(rules_); }
  Json to_json() const override;

  Model model() const { return model_; }
  const Json& frame() const { return frame_; }
  // The model's own tokens, without those that were added behind them.
  const Vocabulary& spellings() const { return spellings_; }
  const std::vector<double>& scores() const { return scores_; }
  const std::vector<Merges::Rule>& rules() const { return rules_; }

 protected:
  void encode_plain(std::string_view text, Place place, std::vector<int32_t>& out) const override;
  std::optional<int32_t> find_plain(std::string_view bytes) const override;

 private:
  struct Worker {
    WordCache cache;
    ModelScratch scratch;
  };
  void make_model(Merges merges, const std::string& where);
  void make_bytes(const Decoder& decoder);
  std::vector<std::string> plain_pieces() const;
  void encode_piece(std::string_view piece, Worker& worker, std::vector<int32_t>& out) const;
  void encode_word(std::string_view word, const char* limit, Worker& worker,
                   std::vector<int32_t>& out) const;
  Json vocabulary_json() const;
  Json merges_json() const;

  Json frame_;
  Vocabulary spellings_;
  std::vector<double> scores_;
  std::vector<Merges::Rule> rules_;
  NormalizerList normalizers_;
  PreTokenizerList pre_tokenizers_;
  Model model_;
  std::unique_ptr<const SubwordModel> subwords_;
  bool cut_at_spaces_ = false;  // no token goes on past the end of a word
  WorkerPool<Worker> workers_;
};

}  // namespace malssi
