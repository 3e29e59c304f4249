// Byte-level BPE: normalise (rarely), split into words, merge the bytes of each word. Also the
// plain byte tokenizer, which has no merges and does not split.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "text/merges.h"
#include "text/normalizer.h"
#include "text/splitter.h"
#include "text/tokenizer.h"

namespace malssi {

// What a tokenizer.json says, with tokens as bytes.
struct BpeParts {
  Vocabulary vocabulary;
  Merges merges;
  AddedTokens added;
  std::vector<std::string> patterns;  // names or expressions, applied one inside the other
  Normalization normalization = Normalization::none;
  bool prefix_space = false;   // a space is put before a text that starts without one
  bool ignore_merges = false;  // a word that is a token as a whole is never merged
  Json frame;  // the file without vocabulary, merges and added tokens; empty: ours is made from the
               // pattern
};

class BpeTokenizer : public Tokenizer {
 public:
  explicit BpeTokenizer(BpeParts parts);
  ~BpeTokenizer() override;

  std::string kind() const override;
  std::string pattern() const override;
  int64_t merge_count() const override { return static_cast<int64_t>(merges_.rules().size()); }
  Json to_json() const override;

 protected:
  void encode_plain(std::string_view text, std::vector<int32_t>& out) const override;

 private:
  struct Worker;  // one thread's cache and memory
  class Lease;
  void encode_pieces(std::string_view text, size_t stage, Worker& worker,
                     std::vector<int32_t>& out) const;
  void encode_word(std::string_view word, const char* limit, Worker& worker,
                   std::vector<int32_t>& out) const;
  void merge_word(std::string_view word, Worker& worker, std::vector<int32_t>& out) const;

  Merges merges_;
  std::vector<int32_t> token_length_;  // by id
  std::vector<std::string> patterns_;
  std::vector<std::unique_ptr<Splitter>> splitters_;
  Normalization normalization_;
  bool prefix_space_, ignore_merges_;
  Json frame_;
  mutable std::mutex workers_mutex_;
  mutable std::vector<std::unique_ptr<Worker>> idle_;
};

}  // namespace malssi
