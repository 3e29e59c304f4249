#include "text/wordpiece.h"

#include "base/error.h"

namespace malssi {
namespace {

ByteTrie trie_of(const std::vector<std::string>& pieces) {
  std::vector<std::pair<std::string, int32_t>> strings;
  for (size_t id = 0; id < pieces.size(); ++id)
    if (!pieces[id].empty()) strings.emplace_back(pieces[id], static_cast<int32_t>(id));
  return ByteTrie(std::move(strings));
}

int64_t count_characters(std::string_view text) {
  int64_t count = 0;
  for (const char c : text) count += (static_cast<uint8_t>(c) & 0xC0) != 0x80;
  return count;
}

}  // namespace

WordPiece::WordPiece(const std::vector<std::string>& pieces, Options options)
    : trie_(trie_of(pieces)),
      options_(std::move(options)),
      inside_(trie_.walk(ByteTrie::kRoot, options_.prefix)) {
  REQUIRE(options_.unknown_id >= 0, "WordPiece vocabulary: there is no unknown token");
}

void WordPiece::encode(std::string_view word, ModelScratch&, std::vector<int32_t>& out) const {
  const size_t before = out.size();
  bool covered = count_characters(word) <= options_.max_characters;
  for (size_t at = 0; covered && at < word.size();) {
    size_t best_end = at;
    int32_t best = -1, node = at == 0 ? ByteTrie::kRoot : inside_;
    for (size_t end = at; node >= 0 && end < word.size();) {
      node = trie_.step(node, static_cast<uint8_t>(word[end++]));
      if (node < 0 || trie_.id(node) < 0) continue;
      best = trie_.id(node);
      best_end = end;
    }
    covered = best >= 0;
    out.push_back(best);
    at = best_end;
  }
  if (covered) return;
  out.resize(before);
  out.push_back(options_.unknown_id);
}

}  // namespace malssi
