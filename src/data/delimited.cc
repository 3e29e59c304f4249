#include "data/delimited.h"

#include <algorithm>

namespace malssi {

bool DelimitedRows::next() {
  while (at_ < text_.size()) {
    line_ = next_line_;
    read_row();
    if (fields_.size() > 1 || !fields_.front().empty()) return true;
  }
  return false;
}

void DelimitedRows::read_row() {
  fields_.clear();
  open_ = false;
  while (true) {
    fields_.push_back(read_field());
    if (at_ < text_.size() && text_[at_] == static_cast<char>(delimiter_)) {
      ++at_;
      continue;
    }
    if (at_ < text_.size() && text_[at_] == '\r') ++at_;
    if (at_ < text_.size() && text_[at_] == '\n') {
      ++at_;
      ++next_line_;
    }
    return;
  }
}

// Up to the delimiter or the line break behind it.
std::string DelimitedRows::read_field() {
  std::string field;
  if (delimiter_ == Delimiter::comma && at_ < text_.size() && text_[at_] == '"')
    field = read_quoted();
  const size_t begin = at_;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    const bool is_break = c == '\n' || (c == '\r' && text_.substr(at_ + 1, 1) == "\n");
    if (is_break || c == static_cast<char>(delimiter_)) break;
    ++at_;
  }
  field += text_.substr(begin, at_ - begin);
  return field;
}

std::string DelimitedRows::read_quoted() {
  std::string field;
  ++at_;
  while (at_ < text_.size()) {
    const char c = text_[at_++];
    if (c == '"') {
      if (at_ >= text_.size() || text_[at_] != '"') return field;
      ++at_;
    }
    next_line_ += c == '\n';
    field += c;
  }
  open_ = true;
  return field;
}

}  // namespace malssi
