#include "text/answer_traits.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "text/utf8.h"

namespace malssi {
namespace {

enum class Script { none, latin, hangul, other };

Script script_of(int32_t c) {
  const auto in = [c](int32_t first, int32_t last) { return c >= first && c <= last; };
  if (in('a', 'z') || in('A', 'Z') || in(0xc0, 0x24f)) return Script::latin;
  if (in(0xac00, 0xd7a3) || in(0x1100, 0x11ff) || in(0x3130, 0x318f)) return Script::hangul;
  const bool letters = in(0x370, 0x1fff) || in(0x3040, 0x9fff) || in(0xf900, 0xfaff);
  return letters ? Script::other : Script::none;
}

std::vector<int32_t> characters(std::string_view text) {
  std::vector<int32_t> all;
  for (int64_t at = 0; at < std::ssize(text);) {
    const CodePoint next = decode_utf8(text, at);
    all.push_back(next.value);
    at += next.length;
  }
  return all;
}

// Of most of the letters; none where there are too few to tell.
Script main_script(const std::vector<int32_t>& text) {
  constexpr int64_t kFewest = 4;
  std::array<int64_t, 4> counts = {};
  for (const int32_t c : text) ++counts[static_cast<size_t>(script_of(c))];
  const int64_t letters = counts[1] + counts[2] + counts[3];
  for (const Script each : {Script::latin, Script::hangul, Script::other})
    if (letters >= kFewest && 2 * counts[static_cast<size_t>(each)] > letters) return each;
  return Script::none;
}

bool is_space(int32_t c) { return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x3000; }

// Its end repeats a piece of at most kLongest characters four times or more.
bool ends_in_a_loop(std::vector<int32_t> text) {
  constexpr int64_t kLongest = 200, kTimes = 4, kShortest = 24;
  while (!text.empty() && is_space(text.back())) text.pop_back();
  const int64_t size = std::ssize(text);
  for (int64_t period = 1; period <= std::min(kLongest, size / kTimes); ++period) {
    int64_t same = period;
    while (same < size && text[static_cast<size_t>(size - 1 - same)] ==
                              text[static_cast<size_t>(size - 1 - same + period)])
      ++same;
    if (same >= std::max(kTimes * period, kShortest)) return true;
  }
  return false;
}

std::vector<std::string_view> words_of(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  std::vector<std::string_view> words;
  for (size_t begin = text.find_first_not_of(kSpace); begin != text.npos;) {
    const size_t end = std::min(text.find_first_of(kSpace, begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = text.find_first_not_of(kSpace, end);
  }
  return words;
}

double distinct_pairs(const std::vector<std::string_view>& words) {
  if (words.size() < 3) return -1;
  std::set<std::pair<std::string_view, std::string_view>> pairs;
  for (size_t i = 1; i < words.size(); ++i) pairs.emplace(words[i - 1], words[i]);
  return static_cast<double>(pairs.size()) / static_cast<double>(words.size() - 1);
}

// ASCII in lower case, curly apostrophes straight.
std::string plain(std::string_view text) {
  std::string out;
  for (const int32_t c : characters(text)) {
    if (c == 0x2019)
      out += '\'';
    else if (c >= 'A' && c <= 'Z')
      out += static_cast<char>(c - 'A' + 'a');
    else if (c >= 0)
      append_utf8(out, c);
  }
  return out;
}

bool holds(std::string_view text, std::string_view words) { return text.find(words) != text.npos; }

// A refusal says so where it begins.
bool is_refusal(std::string_view answer) {
  constexpr size_t kBegin = 400;  // bytes
  constexpr std::string_view kAlone[] = {
      "as an ai",          "as a language model", "i must decline",
      "i have to decline", "sorry, but i can",    "against my guidelines",
      "도와드릴 수 없",    "도와 드릴 수 없",     "도울 수 없",
      "답변할 수 없",      "답변드릴 수 없",      "답변해 드릴 수 없",
      "대답할 수 없",      "알려드릴 수 없",      "알려 드릴 수 없",
      "제공할 수 없",      "제공해 드릴 수 없",   "응할 수 없",
      "인공지능으로서",    "언어 모델로서"};
  constexpr std::string_view kUnable[] = {"i can't ",         "i cannot ",        "i can not ",
                                          "i won't ",         "i'm unable to ",   "i am unable to ",
                                          "i'm not able to ", "i am not able to "};
  constexpr std::string_view kActs[] = {"help",    "assist",  "provide", "answer", "comply",
                                        "fulfill", "discuss", "share",   "create", "write",
                                        "support", "engage",  "give",    "tell",   "do that"};
  constexpr std::string_view kKorean[] = {"수 없습니다", "수 없어요", "수 없어", "어렵습니다"};
  const std::string begin = plain(answer.substr(0, kBegin));
  const auto any = [&](auto&& list, std::string_view in) {
    return std::ranges::any_of(list, [&](std::string_view each) { return holds(in, each); });
  };
  if (any(kAlone, begin)) return true;
  if (holds(begin, "죄송") && any(kKorean, begin)) return true;
  return std::ranges::any_of(kUnable, [&](std::string_view each) {
    const size_t at = begin.find(each);
    if (at == begin.npos) return false;
    const std::string_view rest = std::string_view(begin).substr(at + each.size(), 40);
    return any(kActs, rest.substr(0, rest.find("to ")));  // "I can't wait to tell you" is none
  });
}

}  // namespace

AnswerTraits answer_traits(std::string_view prompt, std::string_view answer) {
  const std::vector<int32_t> text = characters(answer);
  const std::vector<std::string_view> words = words_of(answer);
  const Script asked = main_script(characters(prompt)), answered = main_script(text);
  return {
      .is_empty = std::ranges::all_of(text, is_space),
      .is_refusal = is_refusal(answer),
      .is_loop = ends_in_a_loop(text),
      .switches_language = asked != Script::none && answered != Script::none && asked != answered,
      .words = static_cast<double>(words.size()),
      .distinct = distinct_pairs(words)};
}

}  // namespace malssi
