#include "io/safetensors.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "io/safetensors_header.h"
#include "models/model.h"

namespace malssi {
namespace {

constexpr int64_t kLengthBytes = 8;
// The header's text. Throws when the file cannot hold it.
std::string_view header_text(const MappedFile& file, std::string_view where) {
  REQUIRE(file.size() >= kLengthBytes, where, ": ", file.size(),
          " bytes are too few for a safetensors file: it is cut short or of another kind");
  uint64_t length = 0;
  std::memcpy(&length, file.bytes().data(), sizeof(length));
  REQUIRE(length <= static_cast<uint64_t>(kMaxSafetensorsHeader), where, ": a header of ", length,
          " bytes is longer than the ", kMaxSafetensorsHeader,
          " allowed: the file is damaged or not in the safetensors format");
  const int64_t left = file.size() - kLengthBytes;
  REQUIRE(static_cast<int64_t>(length) <= left, where, ": the header should have ", length,
          " bytes, the file holds ", left, " of it: the file is cut short");
  return file.text().substr(kLengthBytes, length);
}

// Elements * bytes of each, or throws.
int64_t byte_size(const SafetensorsHeader::Tensor& tensor, std::string_view where) {
  int64_t bytes = tensor.type->bytes;
  // A zero anywhere makes the size zero, whatever the other extents multiply to.
  if (std::count(tensor.shape.begin(), tensor.shape.end(), 0) > 0) return 0;
  for (const int64_t extent : tensor.shape)
    REQUIRE(!__builtin_mul_overflow(bytes, extent, &bytes), where, ": tensor \"", tensor.name,
            "\" is too large to be true: the file is damaged");
  return bytes;
}

// The tensors, in order of their offsets, must cover 0 .. data_bytes exactly.
void check_offsets(const std::vector<SafetensorsHeader::Tensor>& tensors, int64_t data_bytes,
                   std::string_view where) {
  std::vector<int32_t> order(tensors.size());
  std::iota(order.begin(), order.end(), 0);
  const auto at = [&](int32_t i) -> const auto& { return tensors[static_cast<size_t>(i)]; };
  std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    return std::pair(at(a).begin, at(a).end) < std::pair(at(b).begin, at(b).end);
  });
  int64_t covered = 0;
  for (const int32_t i : order) {
    const auto& tensor = at(i);
    const int64_t bytes = byte_size(tensor, where);
    REQUIRE(tensor.begin == covered && tensor.end >= tensor.begin, where, ": tensor \"",
            tensor.name, "\" is at bytes ", tensor.begin, " to ", tensor.end,
            ", expected to begin at ", covered,
            ": tensors must follow each other without gap or overlap");
    REQUIRE(tensor.end - tensor.begin == bytes, where, ": tensor \"", tensor.name, "\" has ",
            tensor.end - tensor.begin, " bytes, its shape and dtype need ", bytes);
    covered = tensor.end;
  }
  REQUIRE(covered <= data_bytes, where, ": the tensors need ", covered, " bytes, the file holds ",
          data_bytes, " of them: the file is cut short");
  REQUIRE(covered == data_bytes, where, ": ", data_bytes - covered,
          " bytes after the last tensor: the file is damaged");
}

std::string_view type_name(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "F32";
    case DType::bf16:
      return "BF16";
    case DType::f16:
      return "F16";
    case DType::i32:
      return "I32";
    case DType::i64:
      return "I64";
    case DType::u8:
      return "U8";
    default:
      throw InternalError(concat("safetensors holds no ", dtype_name(dtype)));
  }
}

// The header, padded with spaces so that the data begins at a multiple of 8.
std::string make_header(const std::vector<LazyTensor>& tensors, const Json& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  int64_t offset = 0;
  for (const LazyTensor& tensor : tensors) {
    const auto dims = tensor.shape.dims();
    const int64_t bytes = dtype_bytes(tensor.dtype, tensor.shape.size());
    CHECK(!header.contains(tensor.name) && tensor.name != "__metadata__", "tensor name \"",
          tensor.name, "\" twice");
    header[tensor.name] = {{"dtype", type_name(tensor.dtype)},
                           {"shape", std::vector<int64_t>(dims.begin(), dims.end())},
                           {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string text = dump_json(header);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace

Safetensors::Safetensors(const fs::path& path) : TensorFile(path) {
  const std::string where = path.string();
  const std::string_view text = header_text(file(), where);
  SafetensorsHeader header = parse_safetensors_header(text, where);
  const auto data = file().bytes().subspan(kLengthBytes + text.size());
  check_offsets(header.tensors, static_cast<int64_t>(data.size()), where);
  std::vector<Entry> entries;
  entries.reserve(header.tensors.size());
  for (auto& [name, type, shape, begin, end] : header.tensors)
    entries.push_back({std::move(name), type, std::move(shape),
                       data.subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin))});
  take(std::move(entries), std::move(header.metadata));
}

void write_safetensors(const fs::path& path, const std::vector<NamedTensor>& tensors,
                       const Json& metadata, Durability durability) {
  std::vector<LazyTensor> lazy;
  for (const auto& [name, value] : tensors) lazy.push_back(lazily(name, value));
  write_safetensors(path, std::move(lazy), metadata, durability);
}

void write_safetensors(const fs::path& path, std::vector<LazyTensor> tensors, const Json& metadata,
                       Durability durability) {
  // Wide elements first keeps every tensor aligned to its element.
  std::stable_sort(tensors.begin(), tensors.end(), [](const LazyTensor& a, const LazyTensor& b) {
    return dtype_size(a.dtype) > dtype_size(b.dtype);
  });
  const std::string header = make_header(tensors, metadata);
  const auto length = static_cast<uint64_t>(header.size());
  REQUIRE(static_cast<int64_t>(length) <= kMaxSafetensorsHeader, "cannot write ", path.string(),
          ": too many tensors for one safetensors file");
  AtomicFile file(path, durability);
  file.write(&length, sizeof(length));
  file.write(header);
  for (const LazyTensor& lazy : tensors) {
    const Tensor tensor = lazy.load();
    CHECK(tensor.shape() == lazy.shape && tensor.dtype() == lazy.dtype, "tensor ", lazy.name);
    file.write(tensor.data(), tensor.bytes());
  }
  file.commit();
}

}  // namespace malssi
