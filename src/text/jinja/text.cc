#include "text/jinja/text.h"

#include <utf8proc.h>

#include <algorithm>

#include "text/unicode.h"
#include "text/utf8.h"

namespace malssi::jinja {

Text::Text(std::string bytes, Mark mark) : bytes_(std::move(bytes)) {
  if (mark) marks_.assign(bytes_.size(), mark);
}

void Text::need_marks() {
  if (marks_.empty()) marks_.assign(bytes_.size(), 0);
}

void Text::append(std::string_view bytes, Mark mark) {
  if (mark) need_marks();
  bytes_ += bytes;
  if (mark || !marks_.empty()) marks_.resize(bytes_.size(), mark);
}

void Text::append(const Text& other, size_t from, size_t count) {
  if (!other.marks_.empty()) need_marks();
  const bool marked = !marks_.empty() || !other.marks_.empty();
  if (!other.marks_.empty()) {
    const auto begin = other.marks_.begin() + static_cast<std::ptrdiff_t>(from);
    marks_.insert(marks_.end(), begin, begin + static_cast<std::ptrdiff_t>(count));
  }
  bytes_.append(other.bytes_, from, count);
  if (marked) marks_.resize(bytes_.size(), 0);
}

Text Text::part(size_t from, size_t count) const {
  Text out;
  out.append(*this, from, count);
  return out;
}

void Text::add_mark(Mark mark) {
  need_marks();
  for (Mark& m : marks_) m |= mark;
}

bool is_white_space(int32_t character) {
  return (character >= 0x1c && character <= 0x1f) ||
         (character >= 0 && char_class(character) == CharClass::space);
}

namespace {

bool in_set(std::string_view text, size_t at, int32_t length, int32_t value,
            std::string_view characters) {
  if (characters.empty()) return is_white_space(value);
  const std::string_view one = text.substr(at, static_cast<size_t>(length));
  for (size_t i = 0; i < characters.size();) {
    const CodePoint c = decode_utf8(characters, static_cast<int64_t>(i));
    if (characters.substr(i, static_cast<size_t>(c.length)) == one) return true;
    i += static_cast<size_t>(c.length);
  }
  return false;
}

size_t character_before(std::string_view text, size_t at) {
  size_t start = at - 1;
  while (start > 0 && at - start < 4 && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80)
    --start;
  const CodePoint c = decode_utf8(text, static_cast<int64_t>(start));
  return start + static_cast<size_t>(c.length) == at ? start : at - 1;
}

std::vector<Text> split_at_space(const Text& text, int64_t most) {
  std::vector<Text> parts;
  const std::string_view bytes = text.bytes();
  size_t at = 0;
  const auto skip = [&](bool space) {
    while (at < bytes.size()) {
      const CodePoint c = decode_utf8(bytes, static_cast<int64_t>(at));
      if (is_white_space(c.value) != space) return;
      at += static_cast<size_t>(c.length);
    }
  };
  skip(true);
  while (at < bytes.size()) {
    const size_t begin = at;
    if (most >= 0 && static_cast<int64_t>(parts.size()) == most) {
      parts.push_back(strip(text.part(begin, bytes.size() - begin), "", Side::right));
      break;
    }
    skip(false);
    parts.push_back(text.part(begin, at - begin));
    skip(true);
  }
  return parts;
}

}  // namespace

Text strip(const Text& text, std::string_view characters, Side side) {
  const std::string_view bytes = text.bytes();
  size_t begin = 0, end = bytes.size();
  while (side != Side::right && begin < end) {
    const CodePoint c = decode_utf8(bytes, static_cast<int64_t>(begin));
    if (!in_set(bytes, begin, c.length, c.value, characters)) break;
    begin += static_cast<size_t>(c.length);
  }
  while (side != Side::left && end > begin) {
    const size_t at = character_before(bytes, end);
    const CodePoint c = decode_utf8(bytes, static_cast<int64_t>(at));
    if (!in_set(bytes, at, c.length, c.value, characters)) break;
    end = at;
  }
  return text.part(begin, end - begin);
}

std::vector<Text> split(const Text& text, std::string_view separator, int64_t most, Side from) {
  if (separator.empty()) return split_at_space(text, most);
  const std::string_view bytes = text.bytes();
  std::vector<Text> parts;
  const auto full = [&] { return most >= 0 && static_cast<int64_t>(parts.size()) >= most; };
  if (from == Side::right) {
    size_t end = bytes.size();
    while (!full() && end >= separator.size()) {
      const size_t at = bytes.rfind(separator, end - separator.size());
      if (at == bytes.npos) break;
      parts.push_back(text.part(at + separator.size(), end - at - separator.size()));
      end = at;
    }
    parts.push_back(text.part(0, end));
    std::reverse(parts.begin(), parts.end());
    return parts;
  }
  size_t begin = 0;
  while (!full()) {
    const size_t at = bytes.find(separator, begin);
    if (at == bytes.npos) break;
    parts.push_back(text.part(begin, at - begin));
    begin = at + separator.size();
  }
  parts.push_back(text.part(begin, bytes.size() - begin));
  return parts;
}

int64_t occurrences(std::string_view text, std::string_view part) {
  if (part.empty()) return characters(text) + 1;
  int64_t count = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + part.size()))
    ++count;
  return count;
}

Text replace(const Text& text, std::string_view from, const Text& to, int64_t most) {
  const std::string_view bytes = text.bytes();
  Text out;
  if (from.empty()) {  // between all characters, as in Python
    const std::vector<size_t> starts = character_starts(bytes);
    for (size_t i = 0; i < starts.size(); ++i) {
      if (most < 0 || static_cast<int64_t>(i) < most) out.append(to);
      if (i + 1 < starts.size()) out.append(text, starts[i], starts[i + 1] - starts[i]);
    }
    return out;
  }
  size_t begin = 0;
  for (int64_t count = 0; most < 0 || count < most; ++count) {
    const size_t at = bytes.find(from, begin);
    if (at == bytes.npos) break;
    out.append(text, begin, at - begin);
    out.append(to);
    begin = at + from.size();
  }
  out.append(text, begin, bytes.size() - begin);
  return out;
}

Text with_case(const Text& text, Case form) {
  Text out;
  const std::string_view bytes = text.bytes();
  bool inside = false;  // of a word, or past the first character
  for (size_t at = 0; at < bytes.size();) {
    const CodePoint c = decode_utf8(bytes, static_cast<int64_t>(at));
    const auto length = static_cast<size_t>(c.length);
    if (c.value < 0) {
      out.append(text, at, length);
    } else {
      const bool upper = form == Case::upper || (form != Case::lower && !inside);
      out.append(to_utf8(upper ? utf8proc_toupper(c.value) : utf8proc_tolower(c.value)),
                 text.mark(at));
    }
    inside = form == Case::capitalize || (c.value >= 0 && char_class(c.value) == CharClass::letter);
    at += length;
  }
  return out;
}

std::vector<size_t> character_starts(std::string_view text) {
  std::vector<size_t> starts;
  for (size_t at = 0; at < text.size();) {
    starts.push_back(at);
    at += static_cast<size_t>(decode_utf8(text, static_cast<int64_t>(at)).length);
  }
  starts.push_back(text.size());
  return starts;
}

int64_t characters(std::string_view text) {
  int64_t count = 0;
  for (size_t at = 0; at < text.size(); ++count)
    at += static_cast<size_t>(decode_utf8(text, static_cast<int64_t>(at)).length);
  return count;
}

}  // namespace malssi::jinja
