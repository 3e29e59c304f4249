#include "io/gguf_writer.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace malssi {
namespace {

constexpr size_t kMaxTensorName = 63;  // llama.cpp reads no longer ones

template <class T>
void add(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}
void add_type(std::string& out, GgufType type) { add(out, static_cast<uint32_t>(type)); }
void add_text(std::string& out, std::string_view text) {
  add(out, static_cast<uint64_t>(text.size()));
  out.append(text);
}
void begin_list(std::string& out, GgufType element, size_t count) {
  add_type(out, GgufType::array);
  add_type(out, element);
  add(out, static_cast<uint64_t>(count));
}

struct ContentOf {
  std::string out = {};

  void operator()(bool value) {
    add_type(out, GgufType::boolean);
    add(out, static_cast<uint8_t>(value));
  }
  void operator()(int64_t value) {
    if (value >= 0) return (*this)(static_cast<uint64_t>(value));
    const bool narrow = std::in_range<int32_t>(value);
    add_type(out, narrow ? GgufType::i32 : GgufType::i64);
    narrow ? add(out, static_cast<int32_t>(value)) : add(out, value);
  }
  void operator()(uint64_t value) {
    const bool narrow = std::in_range<uint32_t>(value);
    add_type(out, narrow ? GgufType::u32 : GgufType::u64);
    narrow ? add(out, static_cast<uint32_t>(value)) : add(out, value);
  }
  void operator()(double value) {
    add_type(out, GgufType::f32);
    add(out, static_cast<float>(value));
  }
  void operator()(const std::string& value) {
    add_type(out, GgufType::string);
    add_text(out, value);
  }
  void operator()(const std::vector<bool>& values) {
    begin_list(out, GgufType::boolean, values.size());
    for (const bool value : values) add(out, static_cast<uint8_t>(value));
  }
  void operator()(const std::vector<int64_t>& values) {
    const bool narrow = std::all_of(values.begin(), values.end(),
                                    [](int64_t value) { return std::in_range<int32_t>(value); });
    begin_list(out, narrow ? GgufType::i32 : GgufType::i64, values.size());
    for (const int64_t value : values)
      narrow ? add(out, static_cast<int32_t>(value)) : add(out, value);
  }
  void operator()(const std::vector<double>& values) {
    begin_list(out, GgufType::f32, values.size());
    for (const double value : values) add(out, static_cast<float>(value));
  }
  void operator()(const std::vector<std::string>& values) {
    begin_list(out, GgufType::string, values.size());
    for (const std::string& value : values) add_text(out, value);
  }
};

}  // namespace

GgufWriter::GgufWriter(fs::path path) : path_(std::move(path)), file_(path_) {}

void GgufWriter::put_content(std::string_view key, std::string content) {
  CHECK(!has_header_, "key ", key, " after the header");
  const auto known =
      std::find_if(keys_.begin(), keys_.end(), [&](const Key& k) { return k.name == key; });
  if (known != keys_.end())
    known->content = std::move(content);
  else
    keys_.push_back({std::string(key), std::move(content)});
}

void GgufWriter::put(std::string_view key, const GgufValue& value) {
  ContentOf content;
  std::visit(content, value);
  put_content(key, std::move(content.out));
}

void GgufWriter::put_bytes(std::string_view key, std::string_view bytes) {
  std::string content;
  begin_list(content, GgufType::u8, bytes.size());
  put_content(key, content.append(bytes));
}

void GgufWriter::copy(const GgufKey& key) {
  std::string content;
  if (key.type == GgufType::array)
    begin_list(content, key.element, static_cast<size_t>(key.count));
  else
    add_type(content, key.type);
  if (key.type == GgufType::string) add(content, static_cast<uint64_t>(key.bytes.size()));
  content.append(reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size());
  put_content(key.name, std::move(content));
}

void GgufWriter::announce(std::string_view name, DType dtype, const Shape& shape) {
  CHECK(!has_header_, "tensor ", name, " after the header");
  REQUIRE(!name.empty() && name.size() <= kMaxTensorName, "cannot write ", path_.string(),
          ": the tensor name \"", name, "\" is longer than the ", kMaxTensorName,
          " bytes that GGUF readers allow");
  tensors_.push_back({std::string(name), dtype, shape});
}

void GgufWriter::write_header() {
  std::string header = "GGUF";
  add(header, uint32_t{3});
  add(header, static_cast<uint64_t>(tensors_.size()));
  add(header, static_cast<uint64_t>(keys_.size()));
  for (const Key& key : keys_) {
    add_text(header, key.name);
    header += key.content;
  }
  int64_t offset = 0;
  for (const Announced& tensor : tensors_) {
    add_text(header, tensor.name);
    const auto dims = tensor.shape.dims();
    add(header, static_cast<uint32_t>(dims.size()));
    for (auto dim = dims.rbegin(); dim != dims.rend(); ++dim) add(header, *dim);
    add(header, gguf_of_dtype(tensor.dtype));
    add(header, offset);
    offset += dtype_bytes(tensor.dtype, tensor.shape.size());
    offset += gguf_padding(offset, kGgufAlignment);
  }
  file_.write(header);
  has_header_ = true;
  pad();
}

void GgufWriter::pad() {
  const std::string zeros(static_cast<size_t>(gguf_padding(file_.size(), kGgufAlignment)), '\0');
  file_.write(zeros);
}

void GgufWriter::write(const void* data, int64_t bytes) {
  if (!has_header_) write_header();
  CHECK(written_ < tensors_.size(), "more tensors than announced");
  const Announced& tensor = tensors_[written_++];
  CHECK(bytes == dtype_bytes(tensor.dtype, tensor.shape.size()), "tensor ", tensor.name, " of ",
        bytes, " bytes");
  file_.write(data, bytes);
  pad();
}

void GgufWriter::commit() {
  if (!has_header_) write_header();
  CHECK(written_ == tensors_.size(), "fewer tensors than announced");
  file_.commit();
}

}  // namespace malssi
