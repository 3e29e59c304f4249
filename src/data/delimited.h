// Tables as text: comma-separated values (RFC 4180: fields may be quoted, and then hold commas, line breaks and doubled quotes)
// and tab-separated ones (no quoting: a tab ends a field, a line break a row).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace malssi {

enum class Delimiter : char { comma = ',', tab = '\t' };

class DelimitedRows {
 public:
  DelimitedRows(std::string_view text, Delimiter delimiter) : text_(text), delimiter_(delimiter) {}

  // The next row that is not blank; false at the end.
  bool next();
  const std::vector<std::string>& fields() const { return fields_; }
  int64_t line() const { return line_; }  // where the row begins, from 1
  // Whether a quoted field of it was never closed.
  bool is_open() const { return open_; }

 private:
  void read_row();
  std::string read_field();
  std::string read_quoted();

  std::string_view text_;
  Delimiter delimiter_;
  std::vector<std::string> fields_;
  size_t at_ = 0;
  int64_t line_ = 1, next_line_ = 1;
  bool open_ = false;
};

}  // namespace malssi
