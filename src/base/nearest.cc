#include "base/nearest.h"

#include <algorithm>

namespace malssi {

namespace {

std::string folded(std::string_view word) {
  std::string out(word);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '-') c = '_';
  }
  return out;
}

}  // namespace

int64_t edit_distance(std::string_view a, std::string_view b) {
  const size_t width = b.size() + 1;
  std::vector<int64_t> before(width), above(width),
      row(width);  // rows i - 2, i - 1 and i of the table
  for (size_t j = 0; j < width; ++j) above[j] = static_cast<int64_t>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = static_cast<int64_t>(i);
    for (size_t j = 1; j < width; ++j) {
      const int64_t replace = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replace});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(above);
    above.swap(row);
  }
  return above[b.size()];
}

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
  constexpr size_t kLongest = 256;  // nobody mistypes longer words, and the table is quadratic
  if (word.empty() || word.size() > kLongest) return "";
  const std::string wanted = folded(word);
  std::string best;
  int64_t best_edits = 0;
  for (const std::string& candidate : known) {
    if (candidate.size() > kLongest) continue;
    const int64_t edits = edit_distance(wanted, folded(candidate));
    if (edits > static_cast<int64_t>(std::max(word.size(), candidate.size())) / 3) continue;
    if (best.empty() || edits < best_edits) {
      best = candidate;
      best_edits = edits;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const std::string best = nearest(word, known);
  return best.empty() ? "" : "; did you mean '" + best + "'?";
}

}  // namespace malssi
