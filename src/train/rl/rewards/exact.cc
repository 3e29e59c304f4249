#include "train/rl/rewards/exact.h"

#include <algorithm>
#include <cctype>

#include "base/error.h"

namespace malssi {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view trimmed(std::string_view text, std::string_view what = " \t\r\n") {
  const size_t begin = text.find_first_not_of(what);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(what) + 1 - begin);
}

// The end of the digits from `at`, thousands parted by commas included.
size_t digits_end(std::string_view text, size_t at) {
  const auto digit = [&](size_t i) { return i < text.size() && is_digit(text[i]); };
  while (digit(at)) ++at;
  while (at < text.size() && text[at] == ',' && digit(at + 1) && digit(at + 2) && digit(at + 3) &&
         !digit(at + 4))
    at += 4;
  return at;
}

// The end of a number without a sign that begins at `at`; `at` where none does.
size_t number_end(std::string_view text, size_t at) {
  size_t end = digits_end(text, at);
  if (end + 1 < text.size() && text[end] == '.' && is_digit(text[end + 1])) {
    ++end;
    while (end < text.size() && is_digit(text[end])) ++end;
  }
  return end;
}

// digits: as number_end() finds them.
std::string shortest(bool negative, std::string_view digits) {
  std::string text;
  for (const char c : digits)
    if (c != ',') text += c;
  if (text.find('.') != text.npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  text.erase(0, std::min(text.find_first_not_of('0'), text.size()));
  if (text.empty() || text[0] == '.') text.insert(0, "0");
  return negative && text != "0" ? "-" + text : text;
}

std::string_view without_thoughts(std::string_view text) {
  constexpr std::string_view kEnd = "</think>";
  const size_t at = text.rfind(kEnd);
  return at == text.npos ? text : text.substr(at + kEnd.size());
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

bool same(std::string_view found, std::string_view expected) {
  const auto number = normalised_number(expected);
  if (number) return normalised_number(found) == number;
  constexpr std::string_view kDecoration = " \t\r\n.*`\"'$";
  return lower(trimmed(found, kDecoration)) == lower(trimmed(expected, kDecoration));
}

std::string expected_text(const Json& expected, std::string_view where) {
  if (expected.is_number()) return dump_json(expected);
  REQUIRE(expected.is_string(), where, ": \"answer\" is ", json_kind(expected),
          ", expected a text, a number or a list of them");
  const auto text = expected.get<std::string>();
  const auto marked = after_marker(text, "####");
  return marked ? *marked : text;
}

}  // namespace

std::optional<std::string> normalised_number(std::string_view text) {
  text = trimmed(text, " \t\r\n*`$");
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.starts_with('$')) text.remove_prefix(1);
  if (text.ends_with('%')) text.remove_suffix(1);
  if (text.ends_with('.')) text.remove_suffix(1);
  const size_t end = number_end(text, 0);
  if (end == 0 || end != text.size()) return {};
  return shortest(negative, text);
}

std::optional<std::string> final_number(std::string_view text) {
  std::optional<std::string> last;
  for (size_t at = 0; at < text.size();) {
    const size_t end = number_end(text, at);
    if (end == at) {
      ++at;
      continue;
    }
    const bool minus = at > 0 && text[at - 1] == '-';
    const bool joins = at > 1 && (std::isalnum(static_cast<unsigned char>(text[at - 2])) != 0 ||
                                  text[at - 2] == ')');
    last = shortest(minus && !joins, text.substr(at, end - at));
    at = end;
  }
  return last;
}

std::optional<std::string> after_marker(std::string_view text, std::string_view marker) {
  const size_t at = text.rfind(marker);
  if (at == text.npos) return {};
  text.remove_prefix(at + marker.size());
  if (!marker.ends_with('{')) return std::string(trimmed(text.substr(0, text.find('\n'))));
  int64_t depth = 1;
  for (size_t i = 0; i < text.size(); ++i) {
    depth += text[i] == '{' ? 1 : text[i] == '}' ? -1 : 0;
    if (depth == 0) return std::string(trimmed(text.substr(0, i)));
  }
  return {};
}

bool is_exact(std::string_view text, const Json& expected, std::string_view marker,
              std::string_view where) {
  if (expected.is_array())
    return std::ranges::any_of(
        expected, [&](const Json& each) { return is_exact(text, each, marker, where); });
  const std::string wanted = expected_text(expected, where);
  text = without_thoughts(text);
  if (!marker.empty()) {
    const auto found = after_marker(text, marker);
    return found && same(*found, wanted);
  }
  const auto number = normalised_number(wanted);
  return number ? final_number(text) == number : same(text, wanted);
}

}  // namespace malssi
