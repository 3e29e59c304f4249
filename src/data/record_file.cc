#include "data/record_file.h"

#include <set>

#include "base/error.h"
#include "base/json.h"
#include "data/gzip.h"
#include "data/text_check.h"

namespace malssi {
namespace {

std::string lower_extension(const fs::path& file) {
  std::string extension = file.extension().string();
  for (char& c : extension)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return extension;
}

}  // namespace

RecordFile::RecordFile(const fs::path& file, std::string_view expected)
    : where_(file.string()), mapped_(MappedFile::open(file)) {
  REQUIRE(mapped_.size() > 0, where_, ": the file is empty, ", expected, " on each line");
  std::string_view text = mapped_.text();
  std::string kind = lower_extension(file);
  if (is_gzip(text)) {
    text = unpacked_ = gunzip(text, file);
    if (kind == ".gz") kind = lower_extension(file.stem());
  }
  text = without_bom(text);
  check_text(text.substr(0, 4096), file);
  if (kind == ".csv" || kind == ".tsv") {
    rows_.emplace(text, kind == ".csv" ? Delimiter::comma : Delimiter::tab);
    read_header();
  } else {
    records_.emplace(text, where_);
  }
}

void RecordFile::read_header() {
  REQUIRE(rows_->next(), where_, ": no header: a table's first line names its columns");
  columns_ = rows_->fields();
  const std::set<std::string> distinct(columns_.begin(), columns_.end());
  REQUIRE(distinct.size() == columns_.size(), where_, " line ", rows_->line(),
          ": the header names a column twice: give each column a name of its own");
}

bool RecordFile::next(JsonRecord& record) {
  problem_.clear();
  return rows_ ? next_row(record) : records_->next(record);
}

bool RecordFile::next_row(JsonRecord& record) {
  if (!rows_->next()) return false;
  const std::vector<std::string>& fields = rows_->fields();
  record.line = rows_->line();
  row_ = "{}";
  if (rows_->is_open()) {
    problem_ =
        concat(place(record), ": a quoted field is not closed: double quotes inside it (\"\")");
  } else if (fields.size() != columns_.size()) {
    problem_ = concat(place(record), ": ", fields.size(), " fields, the header has ",
                      columns_.size(), " columns: quote fields that hold the delimiter");
  } else {
    Json object = Json::object();
    for (size_t i = 0; i < fields.size(); ++i) object[columns_[i]] = fields[i];
    row_ = dump_json(object);
  }
  record.text = row_;
  return true;
}

void RecordFile::check() const { REQUIRE(problem_.empty(), problem_); }

std::string RecordFile::place(const JsonRecord& record) const {
  return concat(where_, " line ", record.line);
}

}  // namespace malssi
