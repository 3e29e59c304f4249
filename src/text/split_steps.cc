#include "text/split_steps.h"

#include <algorithm>

#include "base/error.h"
#include "text/byte_alphabet.h"
#include "text/splitter.h"
#include "text/utf8.h"

namespace malssi {
namespace {

// Matches and the gaps between them, in order, covering the piece.
struct Stretch {
  int64_t begin, end;
  bool match;
};

// Joins neighbours as the behaviour wants it.
std::vector<Stretch> arrange(std::vector<Stretch> all, SplitBehavior behavior) {
  std::vector<Stretch> out;
  const auto size = static_cast<int64_t>(all.size());
  const bool backwards = behavior == SplitBehavior::merged_with_next;
  bool before = false;  // whether the one before was a match
  for (int64_t i = 0; i < size; ++i) {
    const Stretch& next = all[static_cast<size_t>(backwards ? size - 1 - i : i)];
    const bool join = behavior == SplitBehavior::contiguous ? next.match == before
                      : behavior == SplitBehavior::merged_with_previous || backwards
                          ? next.match && !before
                          : false;
    before = next.match;
    if (behavior == SplitBehavior::removed && next.match) continue;
    if (!join || out.empty())
      out.push_back(next);
    else if (backwards)
      out.back().begin = next.begin;
    else
      out.back().end = next.end;
  }
  if (backwards) std::reverse(out.begin(), out.end());
  return out;
}

void append(std::string_view piece, std::vector<Stretch> all, SplitBehavior behavior,
            std::vector<std::string>& out) {
  for (const Stretch& stretch : arrange(std::move(all), behavior))
    out.emplace_back(piece.substr(static_cast<size_t>(stretch.begin),
                                  static_cast<size_t>(stretch.end - stretch.begin)));
}

// Calls `take` for runs of valid UTF-8, and for each broken character alone.
template <class Take>
void each_valid_run(std::string_view text, Take&& take) {
  for (int64_t at = 0; at < static_cast<int64_t>(text.size());) {
    const std::string_view rest = text.substr(static_cast<size_t>(at));
    const int64_t valid = valid_utf8_prefix(rest);
    const int64_t length = valid > 0 ? valid : decode_utf8(rest, 0).length;
    take(at, rest.substr(0, static_cast<size_t>(length)), valid > 0);
    at += length;
  }
}

}  // namespace

SplitBehavior split_behavior_named(std::string_view name, std::string_view where) {
  if (name == "Isolated") return SplitBehavior::isolated;
  if (name == "Removed") return SplitBehavior::removed;
  if (name == "MergedWithPrevious") return SplitBehavior::merged_with_previous;
  if (name == "MergedWithNext") return SplitBehavior::merged_with_next;
  REQUIRE(name == "Contiguous", where, ": behavior '", name,
          "' is not supported (supported: Isolated, Removed, MergedWithPrevious, MergedWithNext, "
          "Contiguous)");
  return SplitBehavior::contiguous;
}

void SplitAtMatches::split(std::string_view piece, Place, std::vector<std::string>& out) const {
  std::vector<Stretch> all;
  each_valid_run(piece, [&](int64_t start, std::string_view run, bool valid) {
    const auto size = static_cast<int64_t>(run.size());
    if (!valid) return all.push_back({start, start + size, options_.invert});
    int64_t done = 0;
    regex_.each_match(run, 0, [&](int64_t begin, int64_t end) {
      if (begin > done) all.push_back({start + done, start + begin, options_.invert});
      all.push_back({start + begin, start + end, !options_.invert});
      done = end;
      return true;
    });
    if (done < size) all.push_back({start + done, start + size, options_.invert});
  });
  append(piece, std::move(all), options_.behavior, out);
}

void SplitAtCharacters::split(std::string_view piece, Place, std::vector<std::string>& out) const {
  std::vector<Stretch> all;
  int64_t done = 0;
  for (int64_t at = 0; at < static_cast<int64_t>(piece.size());) {
    const CodePoint next = decode_utf8(piece, at);
    if (next.value >= 0 && test_(next.value)) {
      if (at > done) all.push_back({done, at, false});
      all.push_back({at, at + next.length, true});
      done = at + next.length;
    }
    at += next.length;
  }
  if (const auto size = static_cast<int64_t>(piece.size()); done < size)
    all.push_back({done, size, false});
  append(piece, std::move(all), behavior_, out);
}

void Metaspace::split(std::string_view piece, Place place, std::vector<std::string>& out) const {
  if (piece.empty()) return;
  const std::string& space = options_.space;
  const bool prepend = options_.prepend == Prepend::always ||
                       (options_.prepend == Prepend::first && place == Place::start);
  std::string text = prepend && !piece.starts_with(' ') && !piece.starts_with(space) ? space : "";
  for (const char c : piece) {
    if (c == ' ')
      text += space;
    else
      text += c;
  }
  size_t begin = 0;
  while (options_.split) {
    const size_t next = text.find(space, begin + 1);
    if (next == text.npos) break;
    out.push_back(text.substr(begin, next - begin));
    begin = next;
  }
  out.push_back(begin == 0 ? std::move(text) : text.substr(begin));
}

ByteLevelStep::ByteLevelStep(Options options) : options_(options) {
  if (options_.split_words)
    words_ =
        std::make_shared<SplitAtMatches>(pattern_expression("gpt2"), SplitAtMatches::Options{});
}

void ByteLevelStep::split(std::string_view piece, Place place,
                          std::vector<std::string>& out) const {
  const std::string text =
      concat(options_.prefix_space && !piece.starts_with(' ') ? " " : "", piece);
  if (!words_) return out.push_back(to_byte_alphabet(text));
  const size_t first = out.size();
  words_->split(text, place, out);
  for (size_t i = first; i < out.size(); ++i) out[i] = to_byte_alphabet(out[i]);
}

}  // namespace malssi
