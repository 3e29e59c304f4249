#include "text/grammar/json_nodes.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "text/utf8.h"

namespace malssi {
namespace {

const CharacterRanges kUnsafe = {{0, 0x1F}, {'"', '"'}, {'\\', '\\'}};

CharacterRanges common(const CharacterRanges& a, const CharacterRanges& b) {
  CharacterRanges out;
  for (const auto& x : a)
    for (const auto& y : b) {
      const int32_t first = std::max(x.first, y.first), last = std::min(x.second, y.second);
      if (first <= last) out.emplace_back(first, last);
    }
  return out;
}

NodePtr digits(int64_t least, int64_t most) {
  return repeat(characters({{'0', '9'}}), least, most);
}

NodePtr regex(std::string_view pattern) { return parse_regex(pattern).node; }

std::string escaped(int32_t c) {
  const std::string quoted = dump_json(Json(to_utf8(c)));
  return quoted.substr(1, quoted.size() - 2);
}

// The node with each character that JSON escapes replaced by its escape.
NodePtr escaping(const GrammarNode& node) {
  if (node.kind == NodeKind::characters) {
    std::vector<NodePtr> ways;
    if (CharacterRanges safe = common(node.ranges, complement(kUnsafe)); !safe.empty())
      ways.push_back(characters(std::move(safe)));
    std::set<int32_t> others;
    for (const auto& [first, last] : common(node.ranges, kUnsafe))
      for (int32_t c = first; c <= last; ++c) others.insert(c);
    for (const int32_t c : others) ways.push_back(literal(escaped(c)));
    return choice(std::move(ways));
  }
  auto copy = std::make_shared<GrammarNode>(node);
  for (NodePtr& part : copy->parts) part = escaping(*part);
  return copy;
}

NodePtr quoted(NodePtr content) {
  return sequence({literal("\""), std::move(content), literal("\"")});
}

// Digit strings of one length, from a to b, beginning at place i.
NodePtr between(const std::string& a, const std::string& b, size_t i, bool above, bool below) {
  const auto left = static_cast<int64_t>(a.size() - i);
  if (left == 0 || (!above && !below)) return digits(left, left);
  const int32_t low = above ? a[i] : '0', high = below ? b[i] : '9';
  if (low == high) return sequence({characters({{low, low}}), between(a, b, i + 1, above, below)});
  std::vector<NodePtr> ways;
  int32_t first = low, last = high;
  if (above) {
    ways.push_back(sequence({characters({{low, low}}), between(a, b, i + 1, true, false)}));
    ++first;
  }
  if (below) {
    ways.push_back(sequence({characters({{high, high}}), between(a, b, i + 1, false, true)}));
    --last;
  }
  if (first <= last)
    ways.push_back(sequence({characters({{first, last}}), digits(left - 1, left - 1)}));
  return choice(std::move(ways));
}

// The integers from a to b, neither negative.
NodePtr plain_integers(int64_t a, int64_t b) {
  std::vector<NodePtr> ways;
  constexpr int64_t kTenth = 100'000'000'000'000'000;  // of what is past 18 digits
  int64_t power = 10;                                  // past the integers of one length
  for (int64_t begin = 0; begin <= b; begin = power, power = std::min(power, kTenth) * 10) {
    const int64_t low = std::max(a, begin), high = std::min(b, power - 1);
    if (low <= high)
      ways.push_back(between(std::to_string(low), std::to_string(high), 0, true, true));
  }
  return choice(std::move(ways));
}

// Names, from place `at` on, that the rest of a name must not be.
NodePtr other_than(const std::vector<std::u32string>& names, size_t at) {
  const CharacterRanges safe = complement(kUnsafe);
  std::map<char32_t, std::vector<std::u32string>> by_next;
  bool may_end = true;
  for (const std::u32string& name : names) {
    if (name.size() == at)
      may_end = false;
    else
      by_next[name[at]].push_back(name);
  }
  CharacterRanges taken;
  std::vector<NodePtr> ways;
  if (may_end) ways.push_back(sequence({}));
  for (const auto& [next, longer] : by_next) {
    const auto c = static_cast<int32_t>(next);
    taken.emplace_back(c, c);
    ways.push_back(sequence({characters({{c, c}}), other_than(longer, at + 1)}));
  }
  ways.push_back(
      sequence({characters(common(safe, complement(taken))), repeat(characters(safe), 0, -1)}));
  return choice(std::move(ways));
}

}  // namespace

NodePtr json_character() {
  static const NodePtr node = [] {
    const NodePtr hex = characters({{'0', '9'}, {'a', 'f'}, {'A', 'F'}});
    const NodePtr not_d = characters({{'0', '9'}, {'a', 'c'}, {'e', 'f'}, {'A', 'C'}, {'E', 'F'}});
    const NodePtr unit = choice(
        {sequence({not_d, hex, hex, hex}),
         sequence({characters({{'d', 'd'}, {'D', 'D'}}), characters({{'0', '7'}}), hex, hex})});
    const NodePtr escape = choice({regex("[\"\\\\/bfnrt]"), sequence({literal("u"), unit})});
    return choice({characters(complement(kUnsafe)), sequence({literal("\\"), escape})});
  }();
  return node;
}

NodePtr json_string(int64_t least, int64_t most) {
  return quoted(repeat(json_character(), least, most));
}

NodePtr json_string_of(const NodePtr& content) { return quoted(escaping(*content)); }

NodePtr json_pattern(std::string_view pattern) {
  const ParsedRegex regex = parse_regex(pattern);
  const NodePtr any = repeat(json_character(), 0, -1);
  std::vector<NodePtr> parts;
  if (!regex.from_start) parts.push_back(any);
  parts.push_back(escaping(*regex.node));
  if (!regex.to_end) parts.push_back(any);
  return quoted(sequence(std::move(parts)));
}

NodePtr json_format(std::string_view format) {
  const std::string date =
      "[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|"
      "02-(0[1-9]|1[0-9]|2[0-8]))";
  const std::string time =
      "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?(Z|[+\\-]([01][0-9]|2[0-3]):[0-5][0-"
      "9])";
  if (format == "date") return quoted(regex(date));
  if (format == "time") return quoted(regex(time));
  if (format == "date-time") return quoted(regex(date + "T" + time));
  REQUIRE(format == "uuid", "the format \"", format,
          "\" is not supported (known: date, time, date-time, uuid)");
  return quoted(regex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"));
}

NodePtr json_other_name(const std::vector<std::string>& names) {
  std::vector<std::u32string> wide;
  for (const std::string& name : names) {
    REQUIRE(name.size() <= 200, "a property's name has ", name.size(),
            " bytes, expected at most 200");
    std::u32string text;
    for (size_t at = 0; at < name.size();) {
      const CodePoint c = decode_utf8(name, static_cast<int64_t>(at));
      text += static_cast<char32_t>(c.value);
      at += static_cast<size_t>(c.length);
    }
    const bool safe = std::none_of(text.begin(), text.end(),
                                   [](char32_t c) { return c < 0x20 || c == U'"' || c == U'\\'; });
    if (safe) wide.push_back(std::move(text));  // the others cannot be written without escapes
  }
  return quoted(other_than(wide, 0));
}

NodePtr json_integer(std::optional<int64_t> least, std::optional<int64_t> most) {
  constexpr int64_t kMost = 999'999'999'999'999'999;
  const int64_t low = std::max(least.value_or(-kMost), -kMost);
  const int64_t high = std::min(most.value_or(kMost), kMost);
  REQUIRE(low <= high, "there is no integer of at most 18 digits from ", low, " to ", high);
  std::vector<NodePtr> ways;
  if (high >= 0) ways.push_back(plain_integers(std::max<int64_t>(low, 0), high));
  if (low < 0)
    ways.push_back(sequence({literal("-"), plain_integers(std::max<int64_t>(-high, 1), -low)}));
  return choice(std::move(ways));
}

NodePtr json_number(Sign sign) {
  const std::string size = "(0|[1-9][0-9]{0,15})(\\.[0-9]{1,16})?([eE][+\\-]?[0-9]{1,2})?";
  return regex(sign == Sign::any ? "-?" + size : size);
}

}  // namespace malssi
