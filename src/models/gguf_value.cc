#include "models/gguf_value.h"

#include <array>
#include <utility>

namespace malssi {

std::optional<bool> gguf_bool(const GgufValue& value) {
  if (const bool* found = std::get_if<bool>(&value)) return *found;
  return {};
}

std::optional<int64_t> gguf_int(const GgufValue& value) {
  if (const auto* found = std::get_if<int64_t>(&value)) return *found;
  const auto* found = std::get_if<uint64_t>(&value);
  if (found && std::in_range<int64_t>(*found)) return static_cast<int64_t>(*found);
  return {};
}

std::optional<double> gguf_number(const GgufValue& value) {
  if (const double* found = std::get_if<double>(&value)) return *found;
  if (const auto integer = gguf_int(value)) return static_cast<double>(*integer);
  return {};
}

std::optional<std::vector<int64_t>> gguf_ints(const GgufValue& value) {
  if (const auto* found = std::get_if<std::vector<int64_t>>(&value)) return *found;
  return {};
}

std::optional<std::vector<double>> gguf_numbers(const GgufValue& value) {
  if (const auto* found = std::get_if<std::vector<double>>(&value)) return *found;
  if (const auto* integers = std::get_if<std::vector<int64_t>>(&value))
    return std::vector<double>(integers->begin(), integers->end());
  return {};
}

const std::string* gguf_string(const GgufValue& value) { return std::get_if<std::string>(&value); }

const std::vector<std::string>* gguf_strings(const GgufValue& value) {
  return std::get_if<std::vector<std::string>>(&value);
}

const char* gguf_kind(const GgufValue& value) {
  constexpr std::array kKinds = {"true or false",
                                 "an integer",
                                 "an integer",
                                 "a number",
                                 "a text",
                                 "a list of true or false",
                                 "a list of integers",
                                 "a list of numbers",
                                 "a list of texts"};
  static_assert(kKinds.size() == std::variant_size_v<GgufValue>);
  return kKinds[value.index()];
}

}  // namespace malssi
