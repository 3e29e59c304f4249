#include "data/labelled.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "base/error.h"
#include "data/chat_fields.h"
#include "data/record_file.h"

namespace malssi {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr int64_t kLongestLabel = 256;

template <class T>
std::optional<T> parsed(std::string_view text) {
  T value = {};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

std::string label_text(const element& value, const std::string& where) {
  std::string_view text;
  if (!value.get(text)) return std::string(text);
  bool flag = false;
  if (!value.get(flag)) return flag ? "true" : "false";
  int64_t number = 0;
  REQUIRE(!value.get(number), where, ": the label is no string, whole number, true or false");
  return std::to_string(number);
}

double label_value(const element& value, const std::string& where) {
  double number = 0;
  std::string_view text;
  const bool is_text = !value.get(text);
  const std::optional<double> read = is_text ? parsed<double>(text) : std::nullopt;
  const bool is_number = read || (!is_text && !value.get(number));
  if (read) number = *read;
  REQUIRE(is_number && std::isfinite(number), where,
          ": the label is not a number, but a regression", " was asked for");
  return number;
}

LabelledText read_record(simdjson::dom::parser& parser, std::string_view text,
                         const std::string& where, const LabelledOptions& options) {
  element root, label;
  const auto error = parser.parse(text.data(), text.size()).get(root);
  REQUIRE(!error, where, ": not JSON (", simdjson::error_message(error), ")");
  object record;
  REQUIRE(!root.get(record), where, ": not an object, expected {\"", options.text_column,
          "\": .., \"", options.label_column, "\": ..}");
  for (const std::string& column : {options.text_column, options.label_column}) {
    element found;
    REQUIRE(!record.at_key(column).get(found), where, ": \"", column, "\" is missing, found ",
            keys_of(record), ": name the columns with --text-column and --label-column");
  }
  LabelledText read;
  read.text = string_at(record, options.text_column, where);
  CHECK(!record.at_key(options.label_column).get(label), "checked above");
  if (options.is_regression) {
    read.value = label_value(label, where);
    return read;
  }
  read.label = label_text(label, where);
  REQUIRE(!is_blank(read.label), where, ": the label is empty");
  REQUIRE(static_cast<int64_t>(read.label.size()) <= kLongestLabel, where, ": a label of ",
          read.label.size(), " bytes, expected a class of at most ", kLongestLabel);
  return read;
}

}  // namespace

LabelledData load_labelled(const fs::path& file, const LabelledOptions& options) {
  RecordFile records(file, "expected a text and its label");
  simdjson::dom::parser parser;
  JsonRecord record;
  LabelledData data;
  while (records.next(record)) {
    try {
      records.check();
      LabelledText read = read_record(parser, record.text, records.place(record), options);
      if (is_blank(read.text))
        ++data.empty_texts;
      else
        data.records.push_back(std::move(read));
    } catch (const Error& error) {
      if (!options.skip_invalid) throw;
      if (++data.invalid == 1) data.first_invalid = error.what();
    }
  }
  REQUIRE(!data.records.empty(), file.string(), ": no labelled text (", data.empty_texts,
          " empty, ", data.invalid, " malformed)");
  return data;
}

std::vector<std::string> classes_of(const std::vector<LabelledText>& records) {
  std::set<std::string> distinct;
  for (const LabelledText& record : records) distinct.insert(record.label);
  std::vector<std::string> names(distinct.begin(), distinct.end());
  const auto number = [](const std::string& name) { return parsed<int64_t>(name); };
  if (std::all_of(names.begin(), names.end(), [&](const auto& name) { return number(name); }))
    std::stable_sort(names.begin(), names.end(),
                     [&](const auto& a, const auto& b) { return *number(a) < *number(b); });
  return names;
}

}  // namespace malssi
