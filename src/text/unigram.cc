#include "text/unigram.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "text/utf8.h"

namespace malssi {
namespace {

constexpr size_t kMaxPiece = 1024;      // bounds the work at each place of a text
constexpr double kUnknownPenalty = 10;  // an unknown character's score is so far below the worst
constexpr int32_t kUnknown = -1;

ByteTrie trie_of(const std::vector<std::string>& pieces) {
  std::vector<std::pair<std::string, int32_t>> strings;
  for (size_t id = 0; id < pieces.size(); ++id) {
    REQUIRE(pieces[id].size() <= kMaxPiece, "Unigram vocabulary: token ", id, " has ",
            pieces[id].size(), " bytes, expected at most ", kMaxPiece);
    if (!pieces[id].empty()) strings.emplace_back(pieces[id], static_cast<int32_t>(id));
  }
  return ByteTrie(std::move(strings));
}

double worst_score(const std::vector<std::string>& pieces, const std::vector<double>& scores) {
  double worst = 0;
  for (size_t id = 0; id < pieces.size(); ++id) {
    REQUIRE(std::isfinite(scores[id]), "Unigram vocabulary: the score of token ", id,
            " is no number");
    if (!pieces[id].empty()) worst = std::min(worst, scores[id]);
  }
  return worst;
}

}  // namespace

Unigram::Unigram(const std::vector<std::string>& pieces, const std::vector<double>& scores,
                 const Vocabulary& spellings, const Options& options)
    : trie_(trie_of(pieces)),
      scores_(scores),
      unknown_score_(worst_score(pieces, scores) - kUnknownPenalty),
      unknown_(spellings, options.unknown) {}

void Unigram::encode(std::string_view piece, ModelScratch& scratch,
                     std::vector<int32_t>& out) const {
  REQUIRE(piece.size() < static_cast<size_t>(INT32_MAX), "tokenizer: a text of ", piece.size(),
          " bytes without a space is too long");
  auto& path = scratch.path;
  path.assign(piece.size() + 1, {});
  const auto offer = [&path](size_t to, ModelScratch::Step step) {
    if (path[to].from < 0 || step.score > path[to].score) path[to] = step;
  };
  for (size_t at = 0; at < piece.size();) {
    const auto length = static_cast<size_t>(decode_utf8(piece, static_cast<int64_t>(at)).length);
    const double score = path[at].score;
    bool whole_character = false;
    int32_t node = ByteTrie::kRoot;
    for (size_t end = at; end < piece.size();) {
      node = trie_.step(node, static_cast<uint8_t>(piece[end++]));
      if (node < 0) break;
      const int32_t id = trie_.id(node);
      if (id < 0) continue;
      whole_character = whole_character || end - at == length;
      offer(end, {score + scores_[static_cast<size_t>(id)], static_cast<int32_t>(at), id});
    }
    if (!whole_character)
      offer(at + length, {score + unknown_score_, static_cast<int32_t>(at), kUnknown});
    at += length;
  }
  const size_t first = out.size();
  auto& backwards = scratch.ids;
  backwards.clear();
  for (auto at = static_cast<int32_t>(piece.size()); at > 0;
       at = path[static_cast<size_t>(at)].from)
    backwards.push_back(at);
  std::reverse(backwards.begin(), backwards.end());
  for (const int32_t end : backwards) {
    const auto& [score, from, id] = path[static_cast<size_t>(end)];
    if (id != kUnknown)
      out.push_back(id);
    else
      unknown_.append(piece.substr(static_cast<size_t>(from), static_cast<size_t>(end - from)),
                      first, out);
  }
}

}  // namespace malssi
