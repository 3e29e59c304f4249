// GgufValue: the value of a key of a GGUF file's metadata. Integers of every width are held in the widest one, an f32 as the
// double that its shortest decimal means. Written, a double becomes f32, an integer u32 (i32 below zero and in lists) or 64
// bits where it needs them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace malssi {

using GgufValue = std::variant<bool, int64_t, uint64_t, double, std::string, std::vector<bool>,
                               std::vector<int64_t>, std::vector<double>, std::vector<std::string>>;

// The value as such a type, where it has it without loss; a list of integers is also a list of numbers.
std::optional<bool> gguf_bool(const GgufValue& value);
std::optional<int64_t> gguf_int(const GgufValue& value);
std::optional<double> gguf_number(const GgufValue& value);
std::optional<std::vector<int64_t>> gguf_ints(const GgufValue& value);
std::optional<std::vector<double>> gguf_numbers(const GgufValue& value);
// Null where it is no text, or no list of texts.
const std::string* gguf_string(const GgufValue& value);
const std::vector<std::string>* gguf_strings(const GgufValue& value);

// "an integer", "a list of texts", ...: for messages.
const char* gguf_kind(const GgufValue& value);

}  // namespace malssi
