#include "io/gguf_header.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <unordered_set>

#include "base/error.h"

namespace malssi {
namespace {

constexpr int64_t kMaxName = 65535;
constexpr uint32_t kMaxAxes = 4;
constexpr int64_t kLeastKeyBytes = 8 + 1 + 4 + 1;         // a name, a type, a value of one byte
constexpr int64_t kLeastTensorBytes = 8 + 1 + 4 + 4 + 8;  // a name, no axis, a type, an offset

// Takes numbers and strings from the front of the file.
class Cursor {
 public:
  Cursor(std::span<const std::byte> file, std::string_view where) : file_(file), where_(where) {}

  int64_t at() const { return at_; }
  int64_t left() const { return static_cast<int64_t>(file_.size()) - at_; }
  std::string_view where() const { return where_; }

  std::span<const std::byte> take(uint64_t size, const auto&... what) {
    REQUIRE(size <= static_cast<uint64_t>(left()), where_, ": ", what..., " needs ", size,
            " bytes, the file has ", left(), " more: it is cut short or damaged");
    const auto taken = file_.subspan(static_cast<size_t>(at_), static_cast<size_t>(size));
    at_ += static_cast<int64_t>(size);
    return taken;
  }
  template <class T>
  T number(const auto&... what) {
    T value;
    std::memcpy(&value, take(sizeof(T), what...).data(), sizeof(T));
    return value;
  }
  std::string_view name(const auto&... what) {
    const auto size = number<uint64_t>(what...);
    REQUIRE(size > 0 && size <= static_cast<uint64_t>(kMaxName), where_, ": ", what..., " is ",
            size, " bytes long, expected 1 to ", kMaxName, ": the file is damaged");
    const auto bytes = take(size, what...);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    REQUIRE(std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c != '\x7f'; }),
            where_, ": ", what..., " is no plain text: the file is damaged");
    return text;
  }
  // How many things of at least so many bytes follow.
  int64_t count(int64_t least_bytes, const auto&... what) {
    const auto value = number<uint64_t>(what...);
    REQUIRE(value <= static_cast<uint64_t>(left() / least_bytes), where_, ": ", what..., " is ",
            value, ", more than the file's ", left(), " bytes can hold: the file is damaged");
    return static_cast<int64_t>(value);
  }

 private:
  std::span<const std::byte> file_;
  std::string_view where_;
  int64_t at_ = 0;
};

void check_booleans(std::span<const std::byte> bytes, std::string_view key,
                    std::string_view where) {
  REQUIRE(std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b <= std::byte{1}; }),
          where, ": key \"", key, "\" is neither true nor false: the file is damaged");
}

void read_array(Cursor& file, GgufKey& key) {
  key.element = static_cast<GgufType>(file.number<uint32_t>("key \"", key.name, "\""));
  const int64_t size = gguf_type_bytes(key.element);
  const bool texts = key.element == GgufType::string;
  REQUIRE(size > 0 || texts, file.where(), ": key \"", key.name, "\" is a list of type ",
          static_cast<uint32_t>(key.element), "; expected numbers or texts: the file is damaged");
  key.count = file.count(texts ? 8 : size, "the length of \"", key.name, "\"");
  if (!texts) {
    key.bytes = file.take(static_cast<uint64_t>(key.count * size), "key \"", key.name, "\"");
    if (key.element == GgufType::boolean) check_booleans(key.bytes, key.name, file.where());
    return;
  }
  Cursor strings = file;
  for (int64_t i = 0; i < key.count; ++i)
    strings.take(strings.number<uint64_t>("key \"", key.name, "\""), "key \"", key.name, "\"");
  key.bytes = file.take(static_cast<uint64_t>(strings.at() - file.at()), "key \"", key.name, "\"");
}

GgufKey read_key(Cursor& file, int64_t index) {
  GgufKey key;
  key.name = file.name("the name of key ", index);
  key.type = static_cast<GgufType>(file.number<uint32_t>("key \"", key.name, "\""));
  if (key.type == GgufType::array) {
    read_array(file, key);
  } else if (key.type == GgufType::string) {
    const auto size = file.number<uint64_t>("key \"", key.name, "\"");
    key.bytes = file.take(size, "key \"", key.name, "\"");
  } else {
    const int64_t size = gguf_type_bytes(key.type);
    REQUIRE(size > 0, file.where(), ": key \"", key.name, "\" is of the unknown type ",
            static_cast<uint32_t>(key.type), ": the file is damaged");
    key.bytes = file.take(static_cast<uint64_t>(size), "key \"", key.name, "\"");
    if (key.type == GgufType::boolean) check_booleans(key.bytes, key.name, file.where());
  }
  return key;
}

int64_t read_alignment(const std::vector<GgufKey>& keys, std::string_view where) {
  const auto found = std::find_if(keys.begin(), keys.end(),
                                  [](const GgufKey& k) { return k.name == "general.alignment"; });
  if (found == keys.end()) return kGgufAlignment;
  REQUIRE(found->type == GgufType::u32, where, ": key \"general.alignment\" is not of type u32");
  uint32_t alignment = 0;
  std::memcpy(&alignment, found->bytes.data(), sizeof(alignment));
  REQUIRE(alignment >= 8 && alignment <= (1u << 20) && (alignment & (alignment - 1)) == 0, where,
          ": key \"general.alignment\" is ", alignment,
          ", expected a power of two from 8 to 1048576");
  return alignment;
}

// A tensor without its bytes, which lie at the offset after the header.
struct Placed {
  GgufTensor tensor;
  int64_t bytes = 0;
  uint64_t offset = 0;
};

DType read_dtype(Cursor& file, std::string_view name) {
  const auto type = file.number<uint32_t>("tensor \"", name, "\"");
  const std::optional<DType> dtype = dtype_of_gguf(type);
  REQUIRE(dtype, file.where(), ": tensor \"", name, "\" is of type ", gguf_tensor_type_name(type),
          " (", type, "), which this program does not read: quantise the model to another type");
  return *dtype;
}

Placed read_tensor(Cursor& file, int64_t index) {
  Placed placed;
  const std::string_view name = placed.tensor.name = file.name("the name of tensor ", index);
  const auto axes = file.number<uint32_t>("tensor \"", name, "\"");
  REQUIRE(axes <= kMaxAxes, file.where(), ": tensor \"", name, "\" has ", axes,
          " axes, expected at most ", kMaxAxes, ": the file is damaged");
  std::vector<int64_t> extents(axes);
  int64_t count = 1;
  for (auto extent = extents.rbegin(); extent != extents.rend(); ++extent) {
    *extent = static_cast<int64_t>(file.number<uint64_t>("tensor \"", name, "\""));
    REQUIRE(*extent > 0 && !__builtin_mul_overflow(count, *extent, &count), file.where(),
            ": tensor \"", name, "\" has an axis of ", static_cast<uint64_t>(*extent),
            ", which cannot be: the file is damaged");
  }
  placed.tensor.shape = Shape(std::span<const int64_t>(extents));
  placed.tensor.dtype = read_dtype(file, name);
  const DTypeBlock block = dtype_block(placed.tensor.dtype);
  const int64_t row = extents.empty() ? 1 : extents.back();
  REQUIRE(row % block.elements == 0, file.where(), ": tensor \"", name, "\" has rows of ", row,
          " numbers, no whole blocks of ", dtype_name(placed.tensor.dtype),
          ": the file is damaged");
  REQUIRE(!__builtin_mul_overflow(count / block.elements, block.bytes, &placed.bytes), file.where(),
          ": tensor \"", name, "\" is too large to be true: the file is damaged");
  placed.offset = file.number<uint64_t>("tensor \"", name, "\"");
  return placed;
}

// Gives each tensor its bytes: one after another, each at the next multiple of the alignment, the last at the file's end.
std::vector<GgufTensor> place(std::vector<Placed>& placed, std::span<const std::byte> data,
                              int64_t alignment, std::string_view where) {
  std::vector<GgufTensor> tensors;
  const auto size = static_cast<int64_t>(data.size());
  int64_t offset = 0, end = 0;
  for (Placed& p : placed) {
    REQUIRE(p.offset == static_cast<uint64_t>(offset), where, ": tensor \"", p.tensor.name,
            "\" begins at ", p.offset, ", expected to begin at ", offset,
            " after the one before it: the file is damaged");
    REQUIRE(offset <= size && p.bytes <= size - offset, where, ": tensor \"", p.tensor.name,
            "\" needs ", p.bytes, " bytes at ", offset, ", the file has ", size,
            " after its header: it is cut short or damaged");
    p.tensor.bytes = data.subspan(static_cast<size_t>(offset), static_cast<size_t>(p.bytes));
    tensors.push_back(std::move(p.tensor));
    end = offset + p.bytes;
    offset = end + gguf_padding(end, alignment);
  }
  REQUIRE(size - end < alignment, where, ": ", size - end,
          " bytes after the last tensor: the file is damaged");
  return tensors;
}

void check_unique(const auto& named, std::string_view what, std::string_view where) {
  std::unordered_set<std::string_view> names;
  for (const auto& item : named)
    REQUIRE(names.insert(item.name).second, where, ": ", what, " \"", item.name,
            "\" is given twice: the file is damaged");
}

int64_t read_version(Cursor& file) {
  const auto magic = file.take(4, "the header");
  REQUIRE(std::memcmp(magic.data(), "GGUF", 4) == 0, file.where(),
          ": does not begin with \"GGUF\": not a GGUF file");
  const auto version = file.number<uint32_t>("the header");
  REQUIRE(version == 2 || version == 3, file.where(), ": GGUF version ", version,
          (version & 0xffff) == 0 ? " (a big-endian file)" : "",
          "; versions 2 and 3, little-endian, are read");
  return version;
}

}  // namespace

GgufHeader parse_gguf(std::span<const std::byte> bytes, std::string_view where) {
  Cursor file(bytes, where);
  GgufHeader header;
  header.version = read_version(file);
  const auto tensor_count = file.number<uint64_t>("the header");
  const int64_t key_count = file.count(kLeastKeyBytes, "the number of keys");
  for (int64_t i = 0; i < key_count; ++i) header.keys.push_back(read_key(file, i));
  check_unique(header.keys, "key", where);
  header.alignment = read_alignment(header.keys, where);
  REQUIRE(tensor_count <= static_cast<uint64_t>(file.left() / kLeastTensorBytes), where,
          ": the number of tensors is ", tensor_count,
          ", more than the file can hold: it is damaged");
  std::vector<Placed> placed;
  for (uint64_t i = 0; i < tensor_count; ++i)
    placed.push_back(read_tensor(file, static_cast<int64_t>(i)));
  if (!placed.empty())
    file.take(static_cast<uint64_t>(gguf_padding(file.at(), header.alignment)), "the header");
  const int64_t begin = std::min(file.at(), static_cast<int64_t>(bytes.size()));
  header.tensors =
      place(placed, bytes.subspan(static_cast<size_t>(begin)), header.alignment, where);
  check_unique(header.tensors, "tensor", where);
  return header;
}

std::string_view next_gguf_string(std::span<const std::byte>& bytes) {
  uint64_t size = 0;
  CHECK(bytes.size() >= sizeof(size), "a string list that was not checked");
  std::memcpy(&size, bytes.data(), sizeof(size));
  CHECK(size <= bytes.size() - sizeof(size), "a string list that was not checked");
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + sizeof(size),
                              static_cast<size_t>(size));
  bytes = bytes.subspan(sizeof(size) + static_cast<size_t>(size));
  return text;
}

}  // namespace malssi
