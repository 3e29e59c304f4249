#include "io/tensor_file.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <optional>

#include "base/error.h"
#include "base/parallel.h"
#include "io/safetensors.h"
#include "io/torch_file.h"

namespace malssi {
namespace {

constexpr std::array kFileTypes = {
    FileType{"F64", 8},  FileType{"F32", 4},     FileType{"F16", 2},     FileType{"BF16", 2},
    FileType{"I64", 8},  FileType{"I32", 4},     FileType{"I16", 2},     FileType{"I8", 1},
    FileType{"U64", 8},  FileType{"U32", 4},     FileType{"U16", 2},     FileType{"U8", 1},
    FileType{"BOOL", 1}, FileType{"F8_E4M3", 1}, FileType{"F8_E5M2", 1},
};

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

TensorFile::TensorFile(const fs::path& path)
    : path_(path), file_(std::make_shared<const MappedFile>(MappedFile::open(path))) {}

void TensorFile::take(std::vector<Entry> entries, Json metadata) {
  entries_ = std::move(entries);
  metadata_ = std::move(metadata);
  by_name_.resize(entries_.size());
  std::iota(by_name_.begin(), by_name_.end(), 0);
  const auto name = [&](int32_t i) -> const std::string& {
    return entries_[static_cast<size_t>(i)].name;
  };
  std::sort(by_name_.begin(), by_name_.end(),
            [&](int32_t a, int32_t b) { return name(a) < name(b); });
  for (size_t i = 1; i < by_name_.size(); ++i)
    REQUIRE(name(by_name_[i - 1]) != name(by_name_[i]), path_.string(), ": tensor \"",
            name(by_name_[i]), "\" is given twice: the file is damaged");
}

Tensor TensorFile::borrow(const Entry& entry) const {
  const std::optional<DType> dtype =
      entry.type->name == "F16" ? DType::f16 : same_dtype(entry.type->name);
  const bool fits =
      dtype && entry.shape.size() <= Shape::kMaxRank &&
      reinterpret_cast<uintptr_t>(entry.bytes.data()) % static_cast<size_t>(entry.type->bytes) == 0;
  if (!fits) return load_tensor(entry, path_.string());
  return Tensor::borrowed(file_, entry.bytes.data(), Shape(std::span(entry.shape)), *dtype);
}

const Entry* TensorFile::find(std::string_view name) const {
  const auto at = [&](int32_t i) -> const Entry& { return entries_[static_cast<size_t>(i)]; };
  const auto found =
      std::lower_bound(by_name_.begin(), by_name_.end(), name,
                       [&](int32_t i, std::string_view wanted) { return at(i).name < wanted; });
  return found != by_name_.end() && at(*found).name == name ? &at(*found) : nullptr;
}

Tensor TensorFile::load(std::string_view name) const {
  const Entry* entry = find(name);
  REQUIRE(entry, path_.string(), ": no tensor named \"", name, "\"");
  return load_tensor(*entry, path_.string());
}

std::unique_ptr<TensorFile> open_tensor_file(const fs::path& path) {
  if (path.extension() == ".bin" || is_torch_file(path)) return std::make_unique<TorchFile>(path);
  return std::make_unique<Safetensors>(path);
}

}  // namespace malssi
