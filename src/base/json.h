// JSON: strict reading of untrusted text, typed access with errors that name the place, writing
// that never fails. `where` is what an error names: usually the file's path.
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/json_map.h"

namespace malssi {

// An ordered JSON value.
using Json = nlohmann::basic_json<JsonMap>;

}  // namespace malssi

// Compiled once, in json.cc, and not in every file that uses it.
extern template class nlohmann::basic_json<malssi::JsonMap>;
extern template struct malssi::JsonMap<std::string, malssi::Json, std::less<>,
                                       std::allocator<std::pair<const std::string, malssi::Json>>>;

namespace malssi {

// Throws Error on a syntax error (with line and column), invalid UTF-8, a key given twice, or
// nesting beyond max_depth.
Json parse_json(std::string_view text, std::string_view where, int max_depth = 64);
Json load_json(const fs::path& path);
// Throws the Error of a syntax mistake; position counts the bytes that the parser had read, the
// offending one included.
[[noreturn]] void throw_json_error(std::string_view text, int64_t position, std::string_view where);
// Invalid UTF-8 becomes U+FFFD, a number that is not finite becomes null.
std::string dump_json(const Json& json, int indent = -1);
// "a string", "an integer", ...: for messages.
std::string_view json_kind(const Json& json);

namespace json_detail {

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};

template <class T>
constexpr std::string_view kind_of() {
  if constexpr (std::is_same_v<T, bool>)
    return "true or false";
  else if constexpr (std::is_integral_v<T>)
    return "an integer in range";
  else if constexpr (std::is_floating_point_v<T>)
    return "a number";
  else if constexpr (IsVector<T>::value)
    return "a list";
  else
    return "a string";
}

// Stores json in value if it has that type, without conversions that lose something.
template <class T>
bool read(const Json& json, T& value) {
  if constexpr (std::is_same_v<T, Json>) {
    value = json;
    return true;
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!json.is_boolean()) return false;
    value = json.get<bool>();
    return true;
  } else if constexpr (std::is_integral_v<T>) {
    if (!json.is_number_integer()) return false;
    const bool fits = json.is_number_unsigned() ? std::in_range<T>(json.get<uint64_t>())
                                                : std::in_range<T>(json.get<int64_t>());
    if (fits) value = json.get<T>();
    return fits;
  } else if constexpr (std::is_floating_point_v<T>) {
    if (!json.is_number()) return false;
    value = json.get<T>();
    return true;
  } else if constexpr (IsVector<T>::value) {
    if (!json.is_array()) return false;
    value.clear();
    for (const Json& item : json) {
      typename T::value_type element{};
      if (!read(item, element)) return false;
      value.push_back(std::move(element));
    }
    return true;
  } else {
    static_assert(std::is_same_v<T, std::string>);
    if (!json.is_string()) return false;
    value = json.get<std::string>();
    return true;
  }
}

template <class T>
T read_or_throw(const Json& json, std::string_view key, std::string_view where) {
  T value{};
  REQUIRE(read(json, value), where, ": \"", key, "\" is ", json_kind(json), ", expected ",
          kind_of<T>());
  return value;
}

// The member, or null when it is absent. Throws when json is no object.
const Json* member(const Json& json, std::string_view key, std::string_view where);

}  // namespace json_detail

// The member `key` as T (bool, an integer, a floating-point type, std::string, Json, or a vector of
// these). Throws Error when json is no object, the key is missing, or its value is of another type
// or out of range.
template <class T>
T get(const Json& json, std::string_view key, std::string_view where) {
  const Json* member = json_detail::member(json, key, where);
  REQUIRE(member, where, ": \"", key, "\" is missing");
  return json_detail::read_or_throw<T>(*member, key, where);
}

// The same, with a fallback for a key that is missing or null.
template <class T>
T get_or(const Json& json, std::string_view key, T fallback, std::string_view where) {
  const Json* member = json_detail::member(json, key, where);
  if (!member || member->is_null()) return fallback;
  return json_detail::read_or_throw<T>(*member, key, where);
}

}  // namespace malssi
