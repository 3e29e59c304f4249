// index.json of a folder of token shards: what is in it, and the hashes of its files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "data/corpus.h"

namespace malssi {

inline constexpr std::string_view kShardIndexName = "index.json";
inline constexpr std::string_view kDocumentsName = "documents.bin";

struct ShardIndex {
  struct File {
    std::string name;
    int64_t tokens = 0;
    std::string hash;
  };
  int64_t vocab = 0;
  int32_t begin_token = -1;
  int32_t end_token = -1;
  int64_t train_tokens = -1;     // the training part's; -1 while it is being written
  int64_t train_documents = -1;  // a divided document counts in both parts
  int64_t documents = 0;
  std::string documents_hash;
  std::vector<File> files;
  CorpusStats stats;
  std::string key;     // what it was made from
  int64_t pieces = 0;  // of text taken in: where an interrupted build continues

  int64_t tokens() const;
  int64_t token_bytes() const { return vocab <= 65536 ? 2 : 4; }
  // Each end token is also the first input of the next document.
  bool end_begins_next() const { return end_token >= 0 && begin_token < 0; }

  Json to_json() const;
  // Throws Error when damaged: the JSON carries its own hash.
  static ShardIndex from_json(const Json& json, const std::string& where);
};

}  // namespace malssi
