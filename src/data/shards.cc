#include "data/shards.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/hash.h"
#include "data/shard_index.h"

namespace malssi {
namespace {

constexpr int64_t kAlwaysVerified = int64_t{1} << 30;  // bytes that open() hashes
constexpr std::string_view kRemedy = ": remove the folder so that it is made again";

ShardIndex load_index(const fs::path& folder) {
  const fs::path path = folder / kShardIndexName;
  REQUIRE(fs::exists(path), folder.string(), ": no ", kShardIndexName,
          " in it: name a folder of token shards");
  return ShardIndex::from_json(load_json(path), path.string());
}

void check_size(const MappedFile& file, int64_t bytes, const fs::path& path) {
  REQUIRE(file.size() == bytes, path.string(), ": ", file.size(), " bytes, expected ", bytes,
          kRemedy);
}

void check_hash(const MappedFile& file, const std::string& hash, const fs::path& path) {
  REQUIRE(hash_text(hash64(file.bytes())) == hash, path.string(),
          ": damaged (its hash does not fit)", kRemedy);
}

// Copies ids of one width; the largest of them tells whether all are inside the vocabulary.
template <class T>
uint32_t copy_ids(const char* from, std::span<int32_t> to) {
  uint32_t most = 0;
  for (size_t i = 0; i < to.size(); ++i) {
    T id;
    std::memcpy(&id, from + i * sizeof(T), sizeof(T));
    most = std::max(most, static_cast<uint32_t>(id));
    to[i] = static_cast<int32_t>(id);
  }
  return most;
}

}  // namespace

TokenShards TokenShards::open(const fs::path& folder, Part part) {
  const ShardIndex index = load_index(folder);
  TokenShards out;
  out.folder_ = folder;
  out.vocab_ = index.vocab;
  out.token_bytes_ = index.token_bytes();
  out.end_begins_next_ = index.end_begins_next();
  int64_t at = 0;
  for (const ShardIndex::File& file : index.files) {
    Shard shard{.file = MappedFile::open(folder / file.name),
                .memory = {},
                .begin = at,
                .end = at + file.tokens,
                .name = file.name,
                .hash = file.hash};
    check_size(shard.file, file.tokens * out.token_bytes_, folder / file.name);
    at += file.tokens;
    out.shards_.push_back(std::move(shard));
  }
  out.documents_hash_ = index.documents_hash;
  out.documents_file_ = MappedFile::open(folder / kDocumentsName);
  check_size(out.documents_file_, index.documents * 8, folder / kDocumentsName);
  out.documents_ = {reinterpret_cast<const uint64_t*>(out.documents_file_.bytes().data()),
                    static_cast<size_t>(index.documents)};
  if (at * out.token_bytes_ + index.documents * 8 <= kAlwaysVerified) out.verify();
  const bool training = part == Part::train, validation = part == Part::validation;
  out.begin_ = validation ? index.train_tokens : 0;
  out.end_ = training ? index.train_tokens : at;
  out.first_document_ = validation ? index.train_documents : 0;
  out.last_document_ = training ? index.train_documents : index.documents;
  return out;
}

TokenShards TokenShards::in_memory(const std::vector<std::vector<int32_t>>& documents,
                                   int64_t vocab) {
  TokenShards out;
  out.vocab_ = vocab;
  Shard shard;
  for (const std::vector<int32_t>& document : documents) {
    if (document.empty()) continue;
    out.documents_memory_.push_back(shard.memory.size());
    shard.memory.insert(shard.memory.end(), document.begin(), document.end());
  }
  shard.end = out.end_ = static_cast<int64_t>(shard.memory.size());
  out.documents_ = out.documents_memory_;
  out.last_document_ = static_cast<int64_t>(out.documents_.size());
  out.shards_.push_back(std::move(shard));
  return out;
}

void TokenShards::verify() const {
  if (folder_.empty()) return;
  for (const Shard& shard : shards_) check_hash(shard.file, shard.hash, folder_ / shard.name);
  check_hash(documents_file_, documents_hash_, folder_ / kDocumentsName);
}

int64_t TokenShards::document_begin(int64_t document) const {
  CHECK(document >= 0 && document < document_count(), "document ", document, " of ",
        document_count());
  return static_cast<int64_t>(documents_[static_cast<size_t>(first_document_ + document)]) - begin_;
}

int64_t TokenShards::document_from(int64_t position) const {
  const auto first = documents_.begin() + first_document_;
  const auto last = documents_.begin() + last_document_;
  return std::lower_bound(first, last, static_cast<uint64_t>(begin_ + position)) - first;
}

void TokenShards::copy(int64_t begin, std::span<int32_t> ids) const {
  const int64_t count = static_cast<int64_t>(ids.size());
  CHECK(begin >= 0 && begin + count <= token_count(), "tokens ", begin, " .. ", begin + count,
        " of ", token_count());
  int64_t at = begin_ + begin;
  auto shard = std::upper_bound(shards_.begin(), shards_.end(), at,
                                [](int64_t position, const Shard& s) { return position < s.end; });
  while (!ids.empty()) {
    const int64_t take = std::min(static_cast<int64_t>(ids.size()), shard->end - at);
    copy_from(*shard, at, ids.first(static_cast<size_t>(take)));
    ids = ids.subspan(static_cast<size_t>(take));
    at += take;
    ++shard;
  }
}

void TokenShards::copy_from(const Shard& shard, int64_t begin, std::span<int32_t> ids) const {
  const char* data = shard.memory.empty() ? shard.file.text().data()
                                          : reinterpret_cast<const char*>(shard.memory.data());
  data += (begin - shard.begin) * token_bytes_;
  const uint32_t most =
      token_bytes_ == 2 ? copy_ids<uint16_t>(data, ids) : copy_ids<uint32_t>(data, ids);
  REQUIRE(ids.empty() || most < vocab_, (folder_ / shard.name).string(), ": damaged (token ", most,
          " in a vocabulary of ", vocab_, ")", kRemedy);
}

}  // namespace malssi
