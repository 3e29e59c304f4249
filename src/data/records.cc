#include "data/records.h"

#include <algorithm>

#include "base/error.h"
#include "data/text_check.h"

namespace malssi {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

JsonRecords::JsonRecords(std::string_view text, std::string where)
    : text_(without_bom(text)),
      where_(std::move(where)),
      size_(static_cast<int64_t>(text_.size())) {
  const size_t first = text_.find_first_not_of(" \t\r\n");
  array_ = first != std::string_view::npos && text_[first] == '[';
}

bool JsonRecords::next(JsonRecord& record) {
  return array_ ? next_element(record) : next_line(record);
}

std::string JsonRecords::place(const JsonRecord& record) const {
  return concat(where_, " line ", record.line);
}

bool JsonRecords::next_line(JsonRecord& record) {
  while (at_ < size_) {
    const size_t found = text_.find('\n', static_cast<size_t>(at_));
    const int64_t end = found == std::string_view::npos ? size_ : static_cast<int64_t>(found);
    std::string_view line = text_.substr(static_cast<size_t>(at_), static_cast<size_t>(end - at_));
    record.line = line_;
    at_ = end + 1;
    ++line_;
    while (!line.empty() && is_space(line.back())) line.remove_suffix(1);
    while (!line.empty() && is_space(line.front())) line.remove_prefix(1);
    if (line.empty()) continue;
    record.text = line;
    return true;
  }
  return false;
}

void JsonRecords::skip_space() {
  for (; at_ < size_ && is_space(at(at_)); ++at_) line_ += at(at_) == '\n';
}

bool JsonRecords::next_element(JsonRecord& record) {
  if (closed_) return false;
  skip_space();
  if (!started_) {
    started_ = true;
    ++at_;  // '['
    skip_space();
    if (at_ < size_ && at(at_) == ']') return close(), false;
  }
  const int64_t end = element_end(at_);
  REQUIRE(end < size_, where_, " line ", line_,
          ": the JSON array is not closed after this: is the file complete?");
  REQUIRE(end > at_, where_, " line ", line_, ": no record before \"", at(end),
          "\" in the JSON array");
  record.line = line_;
  record.text = text_.substr(static_cast<size_t>(at_), static_cast<size_t>(end - at_));
  line_ += std::count(record.text.begin(), record.text.end(), '\n');
  at_ = end;
  if (at(end) == ']')
    close();
  else
    ++at_;
  return true;
}

// At the closing bracket: only white space may follow.
void JsonRecords::close() {
  closed_ = true;
  ++at_;
  skip_space();
  REQUIRE(at_ == size_, where_, " line ", line_,
          ": text after the JSON array: one array or JSON Lines are expected");
}

// One past an element: the ',' or ']' behind it on the array's own level; size_ when there is none.
int64_t JsonRecords::element_end(int64_t begin) const {
  int64_t depth = 0;
  bool in_string = false;
  for (int64_t i = begin; i < size_; ++i) {
    const char c = at(i);
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (depth == 0 && (c == ',' || c == ']')) {
      return i;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return size_;
}

}  // namespace malssi
