#include "io/safetensors.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <optional>

#include "base/parallel.h"
#include "io/safetensors_header.h"
#include "models/model.h"

namespace malssi {
namespace {

constexpr int64_t kLengthBytes = 8;
constexpr std::array kFileTypes = {
    FileType{"F64", 8},  FileType{"F32", 4},     FileType{"F16", 2},     FileType{"BF16", 2},
    FileType{"I64", 8},  FileType{"I32", 4},     FileType{"I16", 2},     FileType{"I8", 1},
    FileType{"U64", 8},  FileType{"U32", 4},     FileType{"U16", 2},     FileType{"U8", 1},
    FileType{"BOOL", 1}, FileType{"F8_E4M3", 1}, FileType{"F8_E5M2", 1},
};

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

template <class Convert>
Tensor converted_to_f32(const Shape& shape, Convert convert) {
  Tensor tensor = Tensor::empty(shape, DType::f32);
  parallel_for(tensor.size(), 1 << 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) tensor.f32()[i] = convert(i);
  });
  return tensor;
}

template <class T>
T element(const Entry& entry, int64_t index) {
  T value;
  std::memcpy(&value, entry.bytes.data() + index * static_cast<int64_t>(sizeof(T)), sizeof(T));
  return value;
}

// The dtype whose bytes are the same in memory.
std::optional<DType> same_dtype(std::string_view type) {
  if (type == "F32") return DType::f32;
  if (type == "BF16") return DType::bf16;
  if (type == "I32") return DType::i32;
  if (type == "I64") return DType::i64;
  if (type == "U8" || type == "BOOL") return DType::u8;
  return {};
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

const FileType* find_file_type(std::string_view name) {
  for (const FileType& type : kFileTypes)
    if (type.name == name) return &type;
  return nullptr;
}

std::string describe(const Entry& entry) {
  std::string text(entry.type->name);
  for (size_t i = 0; i < entry.shape.size(); ++i)
    text += (i == 0 ? " [" : ", ") + std::to_string(entry.shape[i]);
  return text + (entry.shape.empty() ? " []" : "]");
}

Tensor load_tensor(const Entry& entry, std::string_view where) {
  REQUIRE(entry.shape.size() <= static_cast<size_t>(Shape::kMaxRank), where, ": tensor \"",
          entry.name, "\" is ", describe(entry), "; at most ", Shape::kMaxRank,
          " axes are supported");
  const Shape shape{std::span<const int64_t>(entry.shape)};
  if (entry.type->name == "F16")
    return converted_to_f32(shape,
                            [&](int64_t i) { return half_to_float(element<uint16_t>(entry, i)); });
  if (entry.type->name == "F64")
    return converted_to_f32(
        shape, [&](int64_t i) { return static_cast<float>(element<double>(entry, i)); });
  const std::optional<DType> dtype = same_dtype(entry.type->name);
  REQUIRE(dtype, where, ": tensor \"", entry.name, "\" is ", describe(entry),
          "; this number format is not supported: convert it to F32, BF16 or F16");
  Tensor tensor = Tensor::empty(shape, *dtype);
  if (!entry.bytes.empty()) std::memcpy(tensor.data(), entry.bytes.data(), entry.bytes.size());
  return tensor;
}

Safetensors::Safetensors(const fs::path& path)
    : path_(path), file_(std::make_shared<const MappedFile>(MappedFile::open(path))) {
  const std::string where = path.string();
  const std::string_view text = header_text(*file_, where);
  SafetensorsHeader header = parse_safetensors_header(text, where);
  const auto data = file_->bytes().subspan(kLengthBytes + text.size());
  check_offsets(header.tensors, static_cast<int64_t>(data.size()), where);
  metadata_ = std::move(header.metadata);
  entries_.reserve(header.tensors.size());
  for (auto& [name, type, shape, begin, end] : header.tensors)
    entries_.push_back(
        {std::move(name), type, std::move(shape),
         data.subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin))});
  by_name_.resize(entries_.size());
  std::iota(by_name_.begin(), by_name_.end(), 0);
  const auto name = [&](int32_t i) -> const std::string& {
    return entries_[static_cast<size_t>(i)].name;
  };
  std::sort(by_name_.begin(), by_name_.end(),
            [&](int32_t a, int32_t b) { return name(a) < name(b); });
  for (size_t i = 1; i < by_name_.size(); ++i)
    REQUIRE(name(by_name_[i - 1]) != name(by_name_[i]), where, ": tensor \"", name(by_name_[i]),
            "\" is given twice: the file is damaged");
}

Tensor Safetensors::borrow(const Entry& entry) const {
  const std::optional<DType> dtype =
      entry.type->name == "F16" ? DType::f16 : same_dtype(entry.type->name);
  const bool fits =
      dtype && entry.shape.size() <= Shape::kMaxRank &&
      reinterpret_cast<uintptr_t>(entry.bytes.data()) % static_cast<size_t>(entry.type->bytes) == 0;
  if (!fits) return load_tensor(entry, path_.string());
  return Tensor::borrowed(file_, entry.bytes.data(), Shape(std::span(entry.shape)), *dtype);
}

const Entry* Safetensors::find(std::string_view name) const {
  const auto at = [&](int32_t i) -> const Entry& { return entries_[static_cast<size_t>(i)]; };
  const auto found =
      std::lower_bound(by_name_.begin(), by_name_.end(), name,
                       [&](int32_t i, std::string_view wanted) { return at(i).name < wanted; });
  return found != by_name_.end() && at(*found).name == name ? &at(*found) : nullptr;
}

Tensor Safetensors::load(std::string_view name) const {
  const Entry* entry = find(name);
  REQUIRE(entry, path_.string(), ": no tensor named \"", name, "\"");
  return load_tensor(*entry, path_.string());
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
