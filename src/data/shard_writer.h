// Writes a folder of token shards. The work lies in <folder>.partial until finish() renames it; a
// build that was killed continues there after the last finished shard.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/lock.h"
#include "data/shard_index.h"

namespace malssi {

class ShardWriter {
 public:
  // `start` gives vocabulary, marks, corpus and key. A partial build with the same key is
  // continued, any other removed.
  ShardWriter(fs::path folder, const ShardIndex& start, int64_t shard_tokens);

  // Pieces of text that need not be given again.
  int64_t pieces_done() const { return done_.pieces; }

  // A document begins (its begin mark is written) and ends (its end mark is).
  void begin_document();
  void append(std::span<const int32_t> ids);
  void end_document();
  // The validation part begins: between documents, or by dividing the one that is under way.
  void begin_validation();
  void divide_document();
  // So many pieces have been taken in by now; the place where a shard may end.
  void pieces_taken(int64_t pieces);
  void finish();

 private:
  bool resume(const ShardIndex& start);
  void clear();
  int64_t last_mark() const;
  void mark_document(int64_t position);
  void end_training();
  void finish_shard();
  fs::path file(std::string_view name) const { return partial_ / name; }

  fs::path folder_, partial_;
  std::optional<FolderLock> lock_;
  ShardIndex now_;   // files: the finished shards; the rest: with all that was appended
  ShardIndex done_;  // at the end of the last finished shard
  int64_t shard_tokens_ = 0;
  int64_t tokens_ = 0;  // in all shards
  std::unique_ptr<AtomicFile> shard_;
  std::unique_ptr<AppendFile> documents_;
  std::vector<uint64_t> marks_;  // not written yet
  std::vector<uint16_t> narrow_;
  int64_t last_mark_ = -1;
  bool part_begins_ = true;       // nothing of this part is written yet
  bool document_begins_ = false;  // it is marked when its first token comes
};

}  // namespace malssi
