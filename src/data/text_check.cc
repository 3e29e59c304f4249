#include "data/text_check.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"
#include "text/utf8.h"

namespace malssi {
namespace {

struct Format {
  std::string_view magic;
  std::string_view name;
};

constexpr std::array<Format, 9> kFormats = {{
    {"\x1f\x8b", "a gzip archive"},
    {"PK\x03\x04", "a zip archive"},
    {"\x28\xb5\x2f\xfd", "a zstd archive"},
    {"\xfd"
     "7zXZ",
     "an xz archive"},
    {"BZh", "a bzip2 archive"},
    {"%PDF-", "a PDF document"},
    {"PAR1", "a Parquet file"},
    {"\x7f"
     "ELF",
     "a program"},
    {"\x89PNG", "an image"},
}};

bool is_utf16(std::string_view text) {
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) return true;
  const std::string_view head = text.substr(0, 1024);
  int64_t even = 0, odd = 0;
  for (size_t i = 0; i < head.size(); ++i) (i % 2 ? odd : even) += head[i] == '\0';
  const int64_t half = static_cast<int64_t>(head.size()) / 2;
  return half >= 4 && ((odd > half / 2 && even == 0) || (even > half / 2 && odd == 0));
}

// Windows keep the slow path short and end between characters.
constexpr int64_t kWindow = int64_t{1} << 16;

int64_t window_end(std::string_view text, int64_t begin) {
  const int64_t size = static_cast<int64_t>(text.size());
  int64_t end = std::min(begin + kWindow, size);
  for (int step = 0; step < 3 && end < size && end > begin + 1; ++step, --end)
    if ((static_cast<uint8_t>(text[static_cast<size_t>(end)]) & 0xc0) != 0x80) break;
  return end;
}

int64_t count_invalid(std::string_view text) {
  int64_t invalid = 0;
  for (int64_t at = 0; at < static_cast<int64_t>(text.size());) {
    const CodePoint point = decode_utf8(text, at);
    if (point.value < 0) invalid += point.length;
    at += point.length;
  }
  return invalid;
}

}  // namespace

int64_t count_characters(std::string_view text) {
  int64_t count = 0;
  for (const char c : text) count += static_cast<int8_t>(c) >= -64;
  return count;
}

int64_t character_offset(std::string_view text, int64_t character) {
  const int64_t size = static_cast<int64_t>(text.size());
  int64_t at = 0;
  while (at < size) {  // whole windows first
    const int64_t end = window_end(text, at);
    const int64_t count =
        count_characters(text.substr(static_cast<size_t>(at), static_cast<size_t>(end - at)));
    if (count > character) break;
    character -= count;
    at = end;
  }
  for (; at < size; ++at) {
    if (static_cast<int8_t>(text[static_cast<size_t>(at)]) < -64) continue;
    if (character == 0) return at;
    --character;
  }
  return size;
}

std::string_view without_bom(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  return text;
}

TextCheck check_text(std::string_view text, const fs::path& path) {
  for (const Format& format : kFormats) {
    REQUIRE(!text.starts_with(format.magic), path.string(), ": ", format.name,
            ", expected UTF-8 text: unpack or convert it first");
  }
  const size_t nul = text.find('\0');
  if (nul != std::string_view::npos || is_utf16(text)) {
    REQUIRE(!is_utf16(text), path.string(),
            ": UTF-16 text, expected UTF-8: convert it with iconv -f UTF-16 -t UTF-8");
    REQUIRE(false, path.string(), ": binary data (a NUL byte at ", nul,
            "), expected UTF-8 text: leave the file out");
  }
  TextCheck check;
  for (int64_t at = 0; at < static_cast<int64_t>(text.size());) {
    const int64_t end = window_end(text, at);
    const std::string_view window =
        text.substr(static_cast<size_t>(at), static_cast<size_t>(end - at));
    check.characters += count_characters(window);
    if (!simdjson::validate_utf8(window.data(), window.size()))
      check.invalid_bytes += count_invalid(window);
    at = end;
  }
  const bool few =
      check.invalid_bytes <= 3 || check.invalid_bytes * 100 <= static_cast<int64_t>(text.size());
  REQUIRE(
      few, path.string(), ": ", check.invalid_bytes, " of ", text.size(),
      " bytes are not UTF-8, expected UTF-8 text: convert it (iconv -f CP949 -t UTF-8 for older "
      "Korean files) or leave it out");
  return check;
}

}  // namespace malssi
