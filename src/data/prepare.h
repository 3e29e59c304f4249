// From a corpus to token shards, in parallel, kept in a cache: the second run with the same files,
// tokenizer and options opens what the first one wrote. An interrupted build continues where its
// last finished shard ended.
#pragma once

#include <cstdint>
#include <functional>

#include "data/corpus.h"
#include "data/shards.h"
#include "text/tokenizer.h"

namespace malssi {

struct PrepareOptions {
  CorpusOptions train;
  CorpusOptions validation;  // separate validation files; without them val_fraction of the training
                             // text is held out
  double val_fraction =
      0.1;  // the last part, counted in characters (nanoGPT's split); 0 = none. A document under
            // the cut is divided there if it is larger than a tenth of the held-out part
  int32_t begin_token = kFromTokenizer;  // -1 = none
  int32_t end_token = kFromTokenizer;    // -1 = none
  fs::path cache;  // parent of the shards' folder; empty = default_token_cache()
  int64_t shard_tokens = int64_t{1} << 27;
  int64_t batch_bytes = 0;  // text that is encoded at a time; 0 = enough for all threads
  std::function<void(int64_t done, int64_t total)> progress =
      {};  // bytes of text; called from the calling thread

  // The tokenizer's end token; its begin token where that is another one.
  static constexpr int32_t kFromTokenizer = -2;
};

struct PreparedTokens {
  TokenShards train;
  TokenShards validation;  // token_count() == 0 when nothing is held out
  CorpusStats stats;       // of all text, training and validation
  fs::path folder;
  bool cached = false;
};

// Throws Error as corpus.h says, and when the text is too short to be split.
PreparedTokens prepare_tokens(const PrepareOptions& options, const Tokenizer& tokenizer);

// $MALSSI_CACHE, $XDG_CACHE_HOME/malssi or ~/.cache/malssi, with /tokens.
fs::path default_token_cache();

}  // namespace malssi
