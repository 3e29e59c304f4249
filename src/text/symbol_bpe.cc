#include "text/symbol_bpe.h"

#include <algorithm>
#include <functional>

#include "base/error.h"
#include "text/utf8.h"

namespace malssi {
namespace {

// The scores from the best on, each once: a score's place is its rank.
std::vector<float> ranked(std::vector<float> scores) {
  std::sort(scores.begin(), scores.end(), std::greater<>());
  scores.erase(std::unique(scores.begin(), scores.end()), scores.end());
  return scores;
}

}  // namespace

Merges merges_of_scores(const std::vector<std::string>& pieces, const std::vector<float>& scores) {
  Vocabulary plain;
  for (size_t id = 0; id < pieces.size(); ++id)
    if (!pieces[id].empty()) plain.add(static_cast<int32_t>(id), pieces[id]);
  const std::vector<float> ranks = ranked(scores);
  std::vector<Merges::Rule> rules;
  for (size_t id = 0; id < pieces.size(); ++id) {
    const std::string_view piece = pieces[id];
    if (piece.empty() || plain.find(piece) != static_cast<int32_t>(id)) continue;
    const auto rank = std::lower_bound(ranks.begin(), ranks.end(), scores[id], std::greater<>());
    for (size_t cut = 1; cut < piece.size(); ++cut) {
      if ((static_cast<uint8_t>(piece[cut]) & 0xC0) == 0x80) continue;  // inside a character
      const auto left = plain.find(piece.substr(0, cut)), right = plain.find(piece.substr(cut));
      if (left && right)
        rules.push_back(
            {*left, *right, static_cast<int32_t>(id), static_cast<int32_t>(rank - ranks.begin())});
    }
  }
  std::stable_sort(rules.begin(), rules.end(),
                   [](const auto& a, const auto& b) { return a.rank < b.rank; });
  Merges merges;
  merges.reserve(std::ssize(rules));
  for (const Merges::Rule& rule : rules) merges.add(rule);
  return merges;
}

SymbolBpe::SymbolBpe(Vocabulary plain, const Vocabulary& spellings, Merges merges, Options options)
    : plain_(std::move(plain)),
      merges_(std::move(merges)),
      unknown_(spellings, options.unknown),
      ignore_merges_(options.ignore_merges) {}

void SymbolBpe::encode(std::string_view piece, ModelScratch& scratch,
                       std::vector<int32_t>& out) const {
  if (ignore_merges_)
    if (const auto id = plain_.find(piece)) return out.push_back(*id);
  scratch.ids.clear();
  for (int64_t at = 0; at < static_cast<int64_t>(piece.size());) {
    const int64_t length = decode_utf8(piece, at).length;
    const std::string_view character =
        piece.substr(static_cast<size_t>(at), static_cast<size_t>(length));
    if (const auto id = plain_.find(character))
      scratch.ids.push_back(*id);
    else
      unknown_.append(character, 0, scratch.ids);
    at += length;
  }
  merges_.encode_ids(scratch.ids, scratch.merges, out);
}

}  // namespace malssi
