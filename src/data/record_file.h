// The records of a file, whatever its form: JSON Lines, one JSON array, or a table with a header (.csv, .tsv), each also
// compressed (.gz). A table's row becomes a JSON object of strings under the header's names.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "data/delimited.h"
#include "data/records.h"

namespace malssi {

class RecordFile {
 public:
  // expected: what records hold, for errors. Throws Error: the file cannot be read, is empty or is not text; a table's header
  // names a column twice.
  RecordFile(const fs::path& file, std::string_view expected);
  RecordFile(const RecordFile&) = delete;
  RecordFile& operator=(const RecordFile&) = delete;

  // False at the end. Throws Error where the file as a whole is malformed. The text is valid until the next call.
  bool next(JsonRecord& record);
  // Throws Error where the record just read is no object: a row that does not fit the header.
  void check() const;
  std::string place(const JsonRecord& record) const;
  bool is_table() const { return rows_.has_value(); }

 private:
  void read_header();
  bool next_row(JsonRecord& record);

  std::string where_;
  MappedFile mapped_;
  std::string unpacked_;
  std::optional<JsonRecords> records_;
  std::optional<DelimitedRows> rows_;
  std::vector<std::string> columns_;
  std::string row_;      // the present one as JSON
  std::string problem_;  // what is wrong with it
};

}  // namespace malssi
