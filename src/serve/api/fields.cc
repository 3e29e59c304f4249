#include "serve/api/fields.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "serve/api_error.h"
#include "text/utf8.h"

namespace malssi {
namespace {

constexpr double kLargestWhole = 9.0e15;  // whole numbers up to here are exact as doubles

std::string shown(const Json& value) {
  constexpr size_t kLongest = 60;
  if (value.is_object() || value.is_array()) return std::string(json_kind(value));
  std::string text = dump_json(value);
  if (text.size() <= kLongest) return text;
  text.resize(static_cast<size_t>(complete_utf8_prefix(text.substr(0, kLongest))));
  return text + "...";
}

}  // namespace

void refuse_field(const std::string& field, const Json& value, std::string_view expected) {
  throw ApiError(400, concat(field, " is ", shown(value), ", expected ", expected), field,
                 "invalid_value");
}

Fields::Fields(const Json& object, std::string path) : json_(object), path_(std::move(path)) {
  if (!object.is_object()) refuse_field(path_.empty() ? "the request" : path_, object, "an object");
}

std::string Fields::name(std::string_view key) const {
  return path_.empty() ? std::string(key) : concat(path_, ".", key);
}

const Json* Fields::find(std::string_view key) const {
  const auto found = json_.find(key);
  return found == json_.end() || found->is_null() ? nullptr : &*found;
}

const Json& Fields::need(std::string_view key) const {
  const Json* value = find(key);
  if (!value) throw ApiError(400, concat(name(key), " is missing"), name(key), "missing_field");
  return *value;
}

void Fields::refuse(std::string_view key, std::string_view expected) const {
  refuse_field(name(key), need(key), expected);
}

std::optional<double> Fields::number(std::string_view key, double least, double most) const {
  const Json* value = find(key);
  if (!value) return std::nullopt;
  const double number = value->is_number() ? value->get<double>() : std::nan("");
  if (!(number >= least && number <= most))
    refuse(key, concat("a number from ", least, " to ", most));
  return number;
}

std::optional<int64_t> Fields::integer(std::string_view key, int64_t least, int64_t most) const {
  const Json* value = find(key);
  if (!value) return std::nullopt;
  int64_t number = 0;
  bool is_whole = false;
  if (value->is_number_unsigned()) {
    is_whole = std::in_range<int64_t>(value->get<uint64_t>());
    if (is_whole) number = value->get<int64_t>();
  } else if (value->is_number_integer()) {
    is_whole = true;
    number = value->get<int64_t>();
  } else if (value->is_number()) {  // some clients send 256.0
    const double real = value->get<double>();
    is_whole = std::abs(real) <= kLargestWhole && std::trunc(real) == real;
    if (is_whole) number = static_cast<int64_t>(real);
  }
  if (!is_whole || number < least || number > most)
    refuse(key, concat("a whole number from ", least, " to ", most));
  return number;
}

std::optional<bool> Fields::boolean(std::string_view key) const {
  const Json* value = find(key);
  if (!value) return std::nullopt;
  if (!value->is_boolean()) refuse(key, "true or false");
  return value->get<bool>();
}

std::optional<std::string> Fields::text(std::string_view key) const {
  const Json* value = find(key);
  if (!value) return std::nullopt;
  if (!value->is_string()) refuse(key, "a string");
  return value->get<std::string>();
}

std::string Fields::need_text(std::string_view key) const {
  need(key);
  return *text(key);
}

std::optional<std::string> Fields::choice(std::string_view key,
                                          std::initializer_list<std::string_view> known) const {
  const std::optional<std::string> value = text(key);
  if (!value || std::find(known.begin(), known.end(), *value) != known.end()) return value;
  std::string all;
  for (const std::string_view each : known)
    all += concat(all.empty() ? "" : ", ", "\"", each, "\"");
  refuse(key, "one of " + all);
}

const Json* Fields::list(std::string_view key, int64_t longest) const {
  const Json* value = find(key);
  if (!value) return nullptr;
  if (!value->is_array()) refuse(key, "a list");
  if (std::ssize(*value) > longest)
    throw ApiError(400,
                   concat(name(key), " has ", value->size(), " items, expected at most ", longest),
                   name(key), "too_long");
  return value;
}

const Json* Fields::object(std::string_view key) const {
  const Json* value = find(key);
  if (value && !value->is_object()) refuse(key, "an object");
  return value;
}

}  // namespace malssi
