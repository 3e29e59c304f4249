// What seeds are made of.
#pragma once

#include <string>
#include <string_view>

#include "base/file.h"
#include "base/json.h"
#include "fuzz/targets.h"

namespace malssi::fuzz {

// A file below tests/.
inline std::string fixture(std::string_view name) {
  return read_file(fs::path(MALSSI_SOURCE_DIR) / "tests" / name);
}
inline Json fixture_json(std::string_view name) {
  const std::string text = fixture(name);
  return parse_json(text, name);
}

// A number's bytes, little-endian.
template <class T>
std::string bytes_of(T number) {
  return std::string(reinterpret_cast<const char*>(&number), sizeof(number));
}
inline std::string repeated(std::string_view part, int64_t count) {
  std::string out;
  for (int64_t i = 0; i < count; ++i) out += part;
  return out;
}
// Parts with a zero byte between them, see take_part().
inline std::string joined(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const std::string_view part : parts) out.append(part).push_back('\0');
  out.pop_back();
  return out;
}

}  // namespace malssi::fuzz
