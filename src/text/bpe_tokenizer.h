// Byte-level BPE: normalise (rarely), split into words, merge the bytes of each word. Also the
// plain byte tokenizer, which has no merges and does not split.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/merges.h"
#include "text/normalizer_list.h"
#include "text/splitter.h"
#include "text/tokenizer.h"
#include "text/word_cache.h"
#include "text/worker_pool.h"

namespace malssi {

// What a tokenizer.json says, with tokens as bytes.
struct BpeParts {
  Vocabulary vocabulary;
  // The tokens that words may become, where there are others (added ones, and ones that the file
  // does not spell in the byte alphabet); needed for ignore_merges.
  Vocabulary plain;
  Merges merges;
  AddedTokens added;
  std::vector<std::string> patterns;  // names or expressions, applied one inside the other
  NormalizerList normalizers;
  bool prefix_space = false;   // a space is put before a text that starts without one
  bool ignore_merges = false;  // a word that is a token as a whole is never merged
  Json frame;  // the file without vocabulary, merges and added tokens; empty: ours is made from the
               // patterns
};

class BpeTokenizer : public Tokenizer {
 public:
  explicit BpeTokenizer(BpeParts parts);

  std::string kind() const override;
  std::string pattern() const override;
  int64_t merge_count() const override { return static_cast<int64_t>(merges_.rules().size()); }
  Json to_json() const override;
  std::string spelling(int32_t id) const;  // in a file
  const std::vector<std::string>& patterns() const { return patterns_; }
  const std::vector<Merges::Rule>& rules() const { return merges_.rules(); }
  bool ignores_merges() const { return ignore_merges_; }
  bool has_prefix_space() const { return prefix_space_; }
  const NormalizerList& normalizers() const { return normalizers_; }

 protected:
  void encode_plain(std::string_view text, Place place, std::vector<int32_t>& out) const override;

 private:
  struct Worker {  // one thread's cache and memory
    WordCache cache;
    Merges::Scratch scratch;
  };
  void encode_pieces(std::string_view text, size_t stage, Worker& worker,
                     std::vector<int32_t>& out) const;
  void encode_word(std::string_view word, const char* limit, Worker& worker,
                   std::vector<int32_t>& out) const;
  void merge_word(std::string_view word, Worker& worker, std::vector<int32_t>& out) const;

  Vocabulary plain_;
  Merges merges_;
  std::vector<int32_t> token_length_;  // by id
  std::vector<std::string> patterns_;
  std::vector<std::unique_ptr<Splitter>> splitters_;
  NormalizerList normalizers_;
  bool prefix_space_, ignore_merges_;
  Json frame_;
  WorkerPool<Worker> workers_;
};

}  // namespace malssi
