#include "data/shard_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "base/error.h"
#include "base/hash.h"
#include "base/system.h"

namespace malssi {
namespace {

constexpr std::string_view kProgressName = "progress.json";

fs::path with_suffix(fs::path path, std::string_view suffix) {
  path += suffix;
  return path;
}

void remove_tree(const fs::path& path) {
  std::error_code code;
  fs::remove_all(path, code);
  REQUIRE(!code, "cannot remove ", path.string(), ": ", code.message(), ": remove it by hand");
}

}  // namespace

ShardWriter::ShardWriter(fs::path folder, const ShardIndex& start, int64_t shard_tokens)
    : folder_(std::move(folder)),
      partial_(with_suffix(folder_, ".partial")),
      now_(start),
      done_(start),
      shard_tokens_(shard_tokens) {
  lock_.emplace(partial_);
  if (!resume(start)) clear();
  documents_ = std::make_unique<AppendFile>(file(kDocumentsName),
                                            AppendFile::Options{.keep_bytes = now_.documents * 8});
  REQUIRE(documents_->size() == now_.documents * 8, file(kDocumentsName).string(),
          ": shorter than it was left: remove ", partial_.string(), " and start again");
}

bool ShardWriter::resume(const ShardIndex& start) {
  if (!fs::exists(file(kProgressName))) return false;
  try {
    const fs::path path = file(kProgressName);
    const ShardIndex found = ShardIndex::from_json(load_json(path), path.string());
    if (found.key != start.key || found.vocab != start.vocab) return false;
    for (const ShardIndex::File& shard : found.files)
      if (hash_text(hash64(MappedFile::open(file(shard.name)).bytes())) != shard.hash) return false;
    now_ = done_ = found;
  } catch (const Error&) {  // damaged: from the beginning
    return false;
  }
  tokens_ = now_.tokens();
  part_begins_ = false;
  last_mark_ = last_mark();
  return true;
}

// Removes what a build that cannot be continued has left.
void ShardWriter::clear() {
  for (const fs::directory_entry& entry : fs::directory_iterator(partial_))
    if (entry.path().filename() != ".lock") remove_tree(entry.path());
}

int64_t ShardWriter::last_mark() const {
  const MappedFile marks = MappedFile::open(file(kDocumentsName));
  if (now_.documents == 0 || marks.size() < now_.documents * 8) return -1;
  int64_t mark = -1;
  std::memcpy(&mark, marks.text().data() + (now_.documents - 1) * 8, 8);
  return mark;
}

void ShardWriter::mark_document(int64_t position) {
  document_begins_ = false;
  if (position == last_mark_) return;  // a document without any token
  last_mark_ = position;
  marks_.push_back(static_cast<uint64_t>(position));
  ++now_.documents;
}

void ShardWriter::begin_document() {
  const bool shares_end = now_.end_begins_next() && !part_begins_;
  if (shares_end) {
    mark_document(tokens_ - 1);
  } else {
    document_begins_ = true;
    const int32_t opening = now_.end_begins_next() ? now_.end_token : now_.begin_token;
    if (opening >= 0) append({&opening, 1});
  }
  part_begins_ = false;
}

void ShardWriter::end_document() {
  if (now_.end_token >= 0) append({&now_.end_token, 1});
}

void ShardWriter::end_training() {
  CHECK(now_.train_tokens < 0, "one validation part only");
  now_.train_tokens = tokens_;
  now_.train_documents = now_.documents;
}

void ShardWriter::begin_validation() {
  end_training();
  part_begins_ = true;
}

void ShardWriter::divide_document() {
  end_training();
  document_begins_ = true;
}

void ShardWriter::append(std::span<const int32_t> ids) {
  if (ids.empty()) return;
  if (document_begins_) mark_document(tokens_);
  if (!shard_)
    shard_ = std::make_unique<AtomicFile>(file(fmt::format("tokens-{:05}.bin", now_.files.size())));
  const int64_t count = static_cast<int64_t>(ids.size());
  narrow_.resize(ids.size());
  const auto [least, most] = std::minmax_element(ids.begin(), ids.end());
  CHECK(*least >= 0 && *most < now_.vocab, "token id outside the vocabulary");
  std::transform(ids.begin(), ids.end(), narrow_.begin(),
                 [](int32_t id) { return static_cast<uint16_t>(id); });
  if (now_.token_bytes() == 2)
    shard_->write(narrow_.data(), count * 2);
  else
    shard_->write(ids.data(), count * 4);
  tokens_ += count;
}

void ShardWriter::pieces_taken(int64_t pieces) {
  now_.pieces += pieces;
  const bool whole = !part_begins_ && !document_begins_;
  if (whole && tokens_ - now_.tokens() >= shard_tokens_) finish_shard();
}

void ShardWriter::finish_shard() {
  if (shard_) {
    shard_->commit();
    shard_.reset();
    const std::string name = fmt::format("tokens-{:05}.bin", now_.files.size());
    now_.files.push_back({.name = name,
                          .tokens = tokens_ - now_.tokens(),
                          .hash = hash_text(hash64(MappedFile::open(file(name)).bytes()))});
  }
  documents_->write({reinterpret_cast<const char*>(marks_.data()), marks_.size() * 8});
  documents_->sync();
  marks_.clear();
  done_ = now_;
  write_file(file(kProgressName), dump_json(done_.to_json(), 1));
}

void ShardWriter::finish() {
  finish_shard();
  if (now_.train_tokens < 0) end_training();
  now_.documents_hash = hash_text(hash64(MappedFile::open(file(kDocumentsName)).bytes()));
  write_file(file(kShardIndexName), dump_json(now_.to_json(), 1));
  std::error_code code;
  fs::remove(file(kProgressName), code);
  fs::remove(file(".lock"), code);
  if (fs::exists(folder_)) {
    REQUIRE(fs::exists(folder_ / kShardIndexName), folder_.string(),
            ": this folder is in the way: name another place");
    remove_tree(folder_);
  }
  if (retry([&] { return ::rename(partial_.c_str(), folder_.c_str()); }) != 0)
    throw_system("save", folder_, errno);
  sync_folder(folder_.parent_path());
}

}  // namespace malssi
