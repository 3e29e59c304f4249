// Token shards: a corpus as token ids in files that are mapped, so that it may be larger than
// memory.
//
// A folder holds index.json (counts, vocabulary, hashes), tokens-00000.bin, .. (ids, little-endian,
// 16 bits where the vocabulary allows, else 32) and documents.bin (64-bit begin of each document).
// The training part comes first, the validation part after it.
//
// Documents: with an end token but no begin token (GPT-2's way) a part is  END text END text END
// ..: each end token is learned as the end of its document, and as an input it begins the next one,
// so that a model asked to continue END alone begins a new document. With both, a document is BEGIN
// text END. With neither (character models) it is its text alone.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"

namespace malssi {

enum class Part { all, train, validation };

class TokenShards {
 public:
  // Checks sizes and counts, and the hashes as well up to 1 GiB (verify() always). Throws Error
  // when damaged.
  static TokenShards open(const fs::path& folder, Part part = Part::all);
  // The same from memory: documents as they are, without marks. ids must lie in 0 .. vocab - 1.
  static TokenShards in_memory(const std::vector<std::vector<int32_t>>& documents, int64_t vocab);

  int64_t token_count() const { return end_ - begin_; }
  int64_t document_count() const { return last_document_ - first_document_; }
  int64_t vocab() const { return vocab_; }
  // Each end token is also the first input of the next document (see above).
  bool end_begins_next() const { return end_begins_next_; }
  // Position of the first token of a document, 0 <= document < document_count().
  int64_t document_begin(int64_t document) const;
  // The first document that begins at or after a position (document_count() when there is none).
  int64_t document_from(int64_t position) const;

  // Copies the ids at begin, begin + 1, ..; throws Error when one lies outside the vocabulary (a
  // damaged file).
  void copy(int64_t begin, std::span<int32_t> ids) const;

  // Compares everything with the hashes in index.json.
  void verify() const;

 private:
  struct Shard {
    MappedFile file;
    std::vector<int32_t> memory;  // instead of a file
    int64_t begin = 0, end = 0;   // positions over the whole folder
    std::string name, hash;
  };
  void check_files(const fs::path& folder) const;
  void copy_from(const Shard& shard, int64_t begin, std::span<int32_t> ids) const;

  fs::path folder_;
  std::vector<Shard> shards_;
  MappedFile documents_file_;
  std::string documents_hash_;
  std::vector<uint64_t> documents_memory_;
  std::span<const uint64_t> documents_;  // begins over the whole folder
  int64_t vocab_ = 0;
  int64_t token_bytes_ = 4;
  bool end_begins_next_ = false;
  int64_t begin_ = 0, end_ = 0;  // the chosen part
  int64_t first_document_ = 0, last_document_ = 0;
};

}  // namespace malssi
