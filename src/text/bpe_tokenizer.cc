#include "text/bpe_tokenizer.h"

#include <algorithm>
#include <array>

#include "text/byte_alphabet.h"
#include "text/tokenizer_json.h"
#include "text/utf8.h"

namespace malssi {

BpeTokenizer::BpeTokenizer(BpeParts parts)
    : plain_(std::move(parts.plain)),
      merges_(std::move(parts.merges)),
      patterns_(std::move(parts.patterns)),
      normalizers_(std::move(parts.normalizers)),
      prefix_space_(parts.prefix_space),
      ignore_merges_(parts.ignore_merges),
      frame_(std::move(parts.frame)) {
  merges_.finish();
  vocabulary_ = std::move(parts.vocabulary);
  added_ = std::move(parts.added);
  for (int32_t id = 0; id < vocabulary_.size(); ++id)
    token_length_.push_back(static_cast<int32_t>(vocabulary_.bytes(id).size()));
  for (std::string& pattern : patterns_) {
    splitters_.push_back(make_splitter(pattern));
    pattern = pattern_name(pattern);
  }
  if (frame_.is_null()) frame_ = byte_level_frame(patterns_);
  find_roles();
}

std::string BpeTokenizer::kind() const {
  return merges_.rules().empty() ? "bytes" : "byte-level BPE";
}

std::string BpeTokenizer::pattern() const {
  std::string all;
  for (const std::string& pattern : patterns_) all += (all.empty() ? "" : " then ") + pattern;
  return all;
}

void BpeTokenizer::encode_plain(std::string_view text, Place, std::vector<int32_t>& out) const {
  std::string changed;
  if (!normalizers_.empty()) text = changed = normalizers_.apply(text);
  if (text.empty()) return;
  if (prefix_space_ && !text.starts_with(' ')) {
    changed = concat(' ', text);
    text = changed;
  }
  const auto worker = workers_.lease();
  while (!text.empty()) {
    const auto valid = static_cast<size_t>(valid_utf8_prefix(text));
    if (valid > 0) encode_pieces(text.substr(0, valid), 0, *worker, out);
    text.remove_prefix(valid);
    if (text.empty()) break;
    const auto broken = static_cast<size_t>(decode_utf8(text, 0).length);  // a word of its own
    merge_word(text.substr(0, broken), *worker, out);
    text.remove_prefix(broken);
  }
}

void BpeTokenizer::encode_pieces(std::string_view text, size_t stage, Worker& worker,
                                 std::vector<int32_t>& out) const {
  if (splitters_.empty()) return merge_word(text, worker, out);
  std::array<int64_t, 256> ends;
  const char* limit = text.data() + text.size();
  for (int64_t at = 0; at < static_cast<int64_t>(text.size());) {
    const int64_t count = splitters_[stage]->split(text, at, ends);
    CHECK(count > 0, "a splitter stands still");
    for (int64_t i = 0; i < count; ++i) {
      const int64_t end = ends[static_cast<size_t>(i)];
      const std::string_view piece =
          text.substr(static_cast<size_t>(at), static_cast<size_t>(end - at));
      if (stage + 1 < splitters_.size())
        encode_pieces(piece, stage + 1, worker, out);
      else
        encode_word(piece, limit, worker, out);
      at = end;
    }
  }
}

void BpeTokenizer::encode_word(std::string_view word, const char* limit, Worker& worker,
                               std::vector<int32_t>& out) const {
  const auto size = static_cast<int64_t>(word.size());
  if (size > WordCache::kMaxBytes) return merge_word(word, worker, out);
  const WordCache::Key key = WordCache::key_of(word.data(), size, limit);
  if (const WordCache::Entry* known = worker.cache.find(key)) {
    if (known->count == 1) return out.push_back(known->ids[0]);
    out.insert(out.end(), known->ids.begin(), known->ids.begin() + known->count);
    return;
  }
  const size_t before = out.size();
  merge_word(word, worker, out);
  worker.cache.insert(key, std::span(out).subspan(before));
}

void BpeTokenizer::merge_word(std::string_view word, Worker& worker,
                              std::vector<int32_t>& out) const {
  if (ignore_merges_)
    if (const auto id = plain_.find(word)) return out.push_back(*id);
  if (!merges_.rules().empty()) return merges_.encode(word, token_length_, worker.scratch, out);
  for (const char byte : word) out.push_back(merges_.known_byte_id(static_cast<uint8_t>(byte)));
}

std::string BpeTokenizer::spelling(int32_t id) const {
  const std::string_view bytes = vocabulary_.bytes(id);
  const bool as_it_is = added_.find_id(id) || (plain_.size() > 0 && plain_.find(bytes) != id);
  return as_it_is ? std::string(bytes) : to_byte_alphabet(bytes);
}

Json BpeTokenizer::to_json() const {
  Json json = frame_;
  json["added_tokens"] = added_tokens_json(added_);
  Json vocabulary = Json::object(), merges = Json::array();
  for (int32_t id = 0; id < vocabulary_.size(); ++id)
    if (!vocabulary_.bytes(id).empty()) vocabulary[spelling(id)] = id;
  for (const Merges::Rule& rule : merges_.rules())
    merges.push_back(spelling(rule.left) + " " + spelling(rule.right));
  json["model"]["vocab"] = std::move(vocabulary);
  json["model"]["merges"] = std::move(merges);
  return json;
}

}  // namespace malssi
