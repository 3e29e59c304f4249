// Records of JSON Lines, or of a JSON array, one at a time with their line numbers, without reading
// the file into memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace malssi {

struct JsonRecord {
  std::string_view text;  // not parsed yet
  int64_t line = 0;       // where it begins, from 1
};

class JsonRecords {
 public:
  // `where` names the source in errors. Text whose first character is '[' is taken for an array.
  JsonRecords(std::string_view text, std::string where);
  // False at the end. Throws Error when the array is not well-formed on its own level.
  bool next(JsonRecord& record);
  // "file line 12", for messages about a record.
  std::string place(const JsonRecord& record) const;

 private:
  bool next_line(JsonRecord& record);
  bool next_element(JsonRecord& record);
  void close();
  void skip_space();
  int64_t element_end(int64_t begin) const;
  char at(int64_t i) const { return text_[static_cast<size_t>(i)]; }

  std::string_view text_;
  std::string where_;
  int64_t size_ = 0;
  int64_t at_ = 0;
  int64_t line_ = 1;
  bool array_ = false, started_ = false, closed_ = false;
};

}  // namespace malssi
