#include "io/zip.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/error.h"

namespace malssi {
namespace {

constexpr int64_t kLocalHeader = 30, kCentralHeader = 46, kEnd = 22, kWideEnd = 56, kLocator = 20;
constexpr uint32_t kCentralMagic = 0x02014b50, kLocalMagic = 0x04034b50, kEndMagic = 0x06054b50,
                   kWideEndMagic = 0x06064b50, kLocatorMagic = 0x07064b50;
constexpr uint16_t kWideFields = 1;  // of an extra field: numbers of 64 bits
constexpr uint32_t kIsWide = 0xffffffff;
constexpr int64_t kMostFiles = 1 << 20;

// Bytes that are checked to be there before they are read.
class Bytes {
 public:
  Bytes(std::span<const std::byte> bytes, std::string_view where) : bytes_(bytes), where_(where) {}

  int64_t size() const { return static_cast<int64_t>(bytes_.size()); }
  std::span<const std::byte> part(int64_t at, int64_t count) const {
    REQUIRE(at >= 0 && count >= 0 && at <= size() && count <= size() - at, where_,
            ": a zip archive whose parts lie outside of it: the file is cut short or damaged");
    return bytes_.subspan(static_cast<size_t>(at), static_cast<size_t>(count));
  }
  template <class T>
  T number(int64_t at) const {
    T value;
    std::memcpy(&value, part(at, sizeof(T)).data(), sizeof(T));
    return value;
  }
  // One that has to be a place in the archive.
  int64_t place(int64_t at) const {
    const auto value = number<uint64_t>(at);
    REQUIRE(value <= static_cast<uint64_t>(size()), where_, ": a zip archive that points to byte ",
            value, " of ", size(), ": the file is cut short or damaged");
    return static_cast<int64_t>(value);
  }
  std::string_view text(int64_t at, int64_t count) const {
    const auto bytes = part(at, count);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

 private:
  std::span<const std::byte> bytes_;
  std::string_view where_;
};

// Where the list of files is, and how many there are.
struct Directory {
  int64_t at = 0, count = 0;
};

// The end record stands last, before a comment of at most 64 KiB.
int64_t find_end(const Bytes& zip, std::string_view where) {
  const int64_t last = zip.size() - kEnd, least = std::max<int64_t>(0, last - 65535);
  for (int64_t at = last; at >= least; --at)
    if (zip.number<uint32_t>(at) == kEndMagic) return at;
  throw Error(concat(where, ": no zip archive, or one that is cut short"));
}

Directory find_directory(const Bytes& zip, std::string_view where) {
  const int64_t end = find_end(zip, where);
  Directory found{.at = zip.number<uint32_t>(end + 16), .count = zip.number<uint16_t>(end + 10)};
  const bool has_locator = end >= kLocator && zip.number<uint32_t>(end - kLocator) == kLocatorMagic;
  if (has_locator) {
    const int64_t wide = zip.place(end - kLocator + 8);
    zip.part(wide, kWideEnd);
    REQUIRE(zip.number<uint32_t>(wide) == kWideEndMagic, where,
            ": a zip archive whose end is damaged");
    found = {.at = zip.place(wide + 48), .count = zip.place(wide + 32)};
  }
  REQUIRE(found.count <= kMostFiles, where, ": a zip archive of ", found.count, " files; at most ",
          kMostFiles, " are read");
  return found;
}

// One file as the directory has it.
struct Listed {
  std::string_view name = {};
  int64_t size = 0, packed = 0, header = 0;
  int64_t next = 0;  // where the directory goes on
};

// Sizes that did not fit into 32 bits, in the order of the plain fields.
void read_wide_fields(const Bytes& zip, int64_t at, int64_t end, Listed& file) {
  while (end - at >= 4) {
    const auto kind = zip.number<uint16_t>(at), size = zip.number<uint16_t>(at + 2);
    at += 4;
    if (kind == kWideFields)
      for (int64_t* number : {&file.size, &file.packed, &file.header})
        if (*number == kIsWide) {
          *number = zip.place(at);
          at += 8;
        }
    if (kind == kWideFields) return;
    at += size;
  }
}

Listed read_listed(const Bytes& zip, int64_t at, std::string_view where) {
  REQUIRE(zip.number<uint32_t>(at) == kCentralMagic, where,
          ": a zip archive whose list of files is damaged");
  const auto flags = zip.number<uint16_t>(at + 8), method = zip.number<uint16_t>(at + 10);
  const int64_t name = zip.number<uint16_t>(at + 28), extra = zip.number<uint16_t>(at + 30),
                comment = zip.number<uint16_t>(at + 32);
  Listed file{.name = zip.text(at + kCentralHeader, name),
              .size = zip.number<uint32_t>(at + 24),
              .packed = zip.number<uint32_t>(at + 20),
              .header = zip.number<uint32_t>(at + 42),
              .next = at + kCentralHeader + name + extra + comment};
  read_wide_fields(zip, at + kCentralHeader + name, at + kCentralHeader + name + extra, file);
  REQUIRE(method == 0 && (flags & 1) == 0 && file.packed == file.size, where, ": a zip archive of ",
          (flags & 1) != 0 ? "encrypted" : "compressed",
          " files; torch.save() stores them as they are");
  return file;
}

}  // namespace

StoredFiles read_zip(std::span<const std::byte> archive, std::string_view where) {
  const Bytes zip(archive, where);
  const Directory directory = find_directory(zip, where);
  StoredFiles files;
  int64_t at = directory.at;
  for (int64_t i = 0; i < directory.count; ++i) {
    const Listed file = read_listed(zip, at, where);
    at = file.next;
    REQUIRE(zip.number<uint32_t>(file.header) == kLocalMagic, where,
            ": a zip archive whose list points to no file: it is damaged");
    const int64_t begin = file.header + kLocalHeader + zip.number<uint16_t>(file.header + 26) +
                          zip.number<uint16_t>(file.header + 28);
    const bool is_new = files.emplace(file.name, zip.part(begin, file.size)).second;
    REQUIRE(is_new, where, ": a zip archive that names a file twice: it is damaged");
  }
  return files;
}

}  // namespace malssi
