// Trains a byte-level BPE vocabulary (Sennrich, Haddow, Birch 2016, algorithm 1, on the bytes of
// pre-split words): counts the words of the text, then merges the most frequent pair until the
// vocabulary is full. Ties go to the smaller ids, so the result depends on the text and the options
// alone, not on threads or on the order of the documents. Ids: 0..255 the bytes, then merges in the
// order in which they were learned, special tokens last.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace malssi {

struct BpeTrainOptions {
  int64_t vocab_size = 32000;             // special tokens included
  std::string pattern = "llama3";         // "gpt2", "llama3" or a regular expression (PCRE2)
  std::vector<std::string> special = {};  // e.g. default_special_tokens()
  int64_t min_frequency = 2;              // pairs seen less often are not merged
  int64_t max_token_bytes = 128;          // longer tokens are not made
};

// What is being done, how much of it is done, and of how much in all (0: not known).
using TrainProgress = std::function<void(std::string_view stage, int64_t done, int64_t total)>;

// The vocabulary may come out smaller than asked for when the text has no more pairs to merge.
// Error: a vocabulary too small for the bytes and the special tokens, an invalid pattern, no text.
std::unique_ptr<Tokenizer> train_bpe(const TextSource& source, const BpeTrainOptions& options,
                                     const TrainProgress& progress = {});
std::unique_ptr<Tokenizer> train_bpe(std::span<const std::string_view> documents,
                                     const BpeTrainOptions& options,
                                     const TrainProgress& progress = {});

}  // namespace malssi
