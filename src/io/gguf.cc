#include "io/gguf.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "quant/widen.h"

namespace malssi {
namespace {

constexpr int64_t kMaxParts = 9999;

template <class T>
T element(const GgufKey& key, int64_t i) {
  T value;
  std::memcpy(&value, key.bytes.data() + static_cast<size_t>(i) * sizeof(T), sizeof(T));
  return value;
}

int64_t signed_element(const GgufKey& key, GgufType type, int64_t i, std::string_view where) {
  switch (type) {
    case GgufType::u8:
      return element<uint8_t>(key, i);
    case GgufType::i8:
      return element<int8_t>(key, i);
    case GgufType::u16:
      return element<uint16_t>(key, i);
    case GgufType::i16:
      return element<int16_t>(key, i);
    case GgufType::u32:
      return element<uint32_t>(key, i);
    case GgufType::i32:
      return element<int32_t>(key, i);
    case GgufType::i64:
      return element<int64_t>(key, i);
    default: {
      const auto value = element<uint64_t>(key, i);
      REQUIRE(std::in_range<int64_t>(value), where, ": key \"", key.name, "\" holds ", value,
              ", which is too large: the file is damaged");
      return static_cast<int64_t>(value);
    }
  }
}

template <class Item, class Get>
std::vector<Item> list_of(const GgufKey& key, Get&& get) {
  std::vector<Item> items;
  items.reserve(static_cast<size_t>(key.count));
  for (int64_t i = 0; i < key.count; ++i) items.push_back(get(i));
  return items;
}

GgufValue decode_list(const GgufKey& key, std::string_view where) {
  if (key.element == GgufType::string) {
    auto bytes = key.bytes;
    return list_of<std::string>(key, [&](int64_t) { return std::string(next_gguf_string(bytes)); });
  }
  if (key.element == GgufType::boolean)
    return list_of<bool>(key, [&](int64_t i) { return element<uint8_t>(key, i) != 0; });
  if (key.element == GgufType::f32)
    return list_of<double>(key, [&](int64_t i) { return double{element<float>(key, i)}; });
  if (key.element == GgufType::f64)
    return list_of<double>(key, [&](int64_t i) { return element<double>(key, i); });
  return list_of<int64_t>(key,
                          [&](int64_t i) { return signed_element(key, key.element, i, where); });
}

// The double that is written with the fewest digits: 1e-05, not 9.999999747378752e-06.
double as_written(float value) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  double wide = value;
  std::from_chars(digits, end, wide);
  return wide;
}

GgufValue decode(const GgufKey& key, std::string_view where) {
  switch (key.type) {
    case GgufType::array:
      return decode_list(key, where);
    case GgufType::string:
      return std::string(reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size());
    case GgufType::boolean:
      return element<uint8_t>(key, 0) != 0;
    case GgufType::f32:
      return as_written(element<float>(key, 0));
    case GgufType::f64:
      return element<double>(key, 0);
    case GgufType::u64:
      return element<uint64_t>(key, 0);
    default:
      return signed_element(key, key.type, 0, where);
  }
}

// "model-00001-of-00003.gguf" and 2 -> "model-00002-of-00003.gguf".
fs::path part_path(const fs::path& first, int64_t number, int64_t count) {
  char suffix[64];
  const auto write = [&](int64_t n) {
    std::snprintf(suffix, sizeof(suffix), "-%05lld-of-%05lld.gguf", static_cast<long long>(n),
                  static_cast<long long>(count));
    return std::string(suffix);
  };
  const std::string name = first.filename().string(), end = write(1);
  REQUIRE(name.ends_with(end), first.string(), ": is the first of ", count,
          " parts, whose names end with ", end, ": give it back its name");
  return first.parent_path() / (name.substr(0, name.size() - end.size()) + write(number));
}

}  // namespace

Gguf::Part Gguf::open_part(const fs::path& path) {
  Part part;
  part.file = std::make_shared<const MappedFile>(MappedFile::open(path));
  part.header = parse_gguf(part.file->bytes(), path.string());
  return part;
}

Gguf::Gguf(const fs::path& file) : path_(file) {
  parts_.push_back(open_part(file));
  open_other_parts();
  for (const Part& part : parts_)
    tensors_.insert(tensors_.end(), part.header.tensors.begin(), part.header.tensors.end());
  for (size_t i = 0; i < tensors_.size(); ++i)
    REQUIRE(tensor_of_name_.emplace(tensors_[i].name, i).second, where(), ": tensor \"",
            tensors_[i].name, "\" is in two of its parts: the files do not belong together");
}

void Gguf::open_other_parts() {
  const int64_t count = find_int("split.count").value_or(1);
  const int64_t number = find_int("split.no").value_or(0);
  REQUIRE(count >= 0 && count <= kMaxParts, where(), ": key \"split.count\" is ", count,
          ", expected at most ", kMaxParts);
  REQUIRE(number == 0, where(), ": part ", number + 1, " of ", count,
          ": name the first (...-00001-of-...)");
  for (int64_t i = 2; i <= count; ++i) {
    const fs::path path = part_path(path_, i, count);
    parts_.push_back(open_part(path));
    const auto& keys = parts_.back().header.keys;
    const auto found = std::find_if(keys.begin(), keys.end(),
                                    [](const GgufKey& key) { return key.name == "split.no"; });
    REQUIRE(found != keys.end() && gguf_int(decode(*found, path.string())) == i - 1, path.string(),
            ": is not part ", i, " of ", where(), ": the files do not belong together");
  }
}

int64_t Gguf::file_bytes() const {
  int64_t bytes = 0;
  for (const Part& part : parts_) bytes += part.file->size();
  return bytes;
}

const GgufKey* Gguf::find_key(std::string_view name) const {
  const auto found = std::find_if(keys().begin(), keys().end(),
                                  [&](const GgufKey& key) { return key.name == name; });
  return found == keys().end() ? nullptr : &*found;
}

const GgufValue* Gguf::find(std::string_view name) const {
  if (const auto known = values_.find(name); known != values_.end()) return &known->second;
  const GgufKey* key = find_key(name);
  if (!key) return nullptr;
  return &values_.emplace(key->name, decode(*key, where())).first->second;
}

std::vector<double> Gguf::numbers(std::string_view name) const {
  constexpr int64_t kMost = 65536;
  const GgufTensor* tensor = find_tensor(name);
  if (!tensor) return {};
  REQUIRE(tensor->shape.size() <= kMost && can_widen(tensor->dtype), where(), ": tensor \"", name,
          "\" is ", dtype_name(tensor->dtype), " ", tensor->shape, ", expected at most ", kMost,
          " floating-point numbers");
  const std::vector<float> values = borrow(*tensor).to(DType::f32).to_vector();
  return {values.begin(), values.end()};
}

std::optional<int64_t> Gguf::find_int(std::string_view key) const {
  const GgufValue* value = find(key);
  if (!value) return {};
  const auto integer = gguf_int(*value);
  REQUIRE(integer, where(), ": key \"", key, "\" is ", gguf_kind(*value), ", expected an integer");
  return integer;
}

std::optional<bool> Gguf::find_bool(std::string_view key) const {
  const GgufValue* value = find(key);
  if (!value) return {};
  const auto boolean = gguf_bool(*value);
  REQUIRE(boolean, where(), ": key \"", key, "\" is ", gguf_kind(*value),
          ", expected true or false");
  return boolean;
}

std::optional<std::string> Gguf::find_string(std::string_view key) const {
  const GgufValue* value = find(key);
  if (!value) return {};
  const std::string* text = gguf_string(*value);
  REQUIRE(text, where(), ": key \"", key, "\" is ", gguf_kind(*value), ", expected a text");
  return *text;
}

const GgufTensor* Gguf::find_tensor(std::string_view name) const {
  const auto found = tensor_of_name_.find(name);
  return found == tensor_of_name_.end() ? nullptr : &tensors_[found->second];
}

Tensor Gguf::borrow(const GgufTensor& tensor) const {
  for (const Part& part : parts_) {
    const auto bytes = part.file->bytes();
    if (tensor.bytes.data() >= bytes.data() && tensor.bytes.data() < bytes.data() + bytes.size())
      return Tensor::borrowed(part.file, tensor.bytes.data(), tensor.shape, tensor.dtype);
  }
  throw InternalError(concat("tensor \"", tensor.name, "\" is of another file"));
}

int64_t Gguf::parameter_count() const {
  int64_t count = 0;
  for (const GgufTensor& tensor : tensors_) count += tensor.shape.size();
  return count;
}

}  // namespace malssi
