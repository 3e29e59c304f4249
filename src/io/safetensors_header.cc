#include "io/safetensors_header.h"

#include <limits>

namespace malssi {
namespace {

constexpr std::string_view kMetadata = "__metadata__";
constexpr size_t kMaxAxes = 16;

// Follows the one shape a header may have:
//   {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, "__metadata__": {"key":
//   "text"}}
class HeaderReader : public nlohmann::json_sax<Json> {
 public:
  HeaderReader(std::string_view text, std::string_view where) : text_(text), where_(where) {}

  SafetensorsHeader take() { return std::move(header_); }

  bool null() override { fail("null"); }
  bool boolean(bool) override { fail("true or false"); }
  bool number_float(number_float_t, const string_t&) override { fail("a number with a fraction"); }
  bool number_integer(number_integer_t) override { fail("a negative number"); }
  bool binary(binary_t&) override { fail("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
      fail("a number that is too large");
    const auto number = static_cast<int64_t>(value);
    if (place_ == Place::shape && tensor().shape.size() < kMaxAxes)
      tensor().shape.push_back(number);
    else if (place_ == Place::offsets && offsets_++ < 2)
      (offsets_ == 1 ? tensor().begin : tensor().end) = number;
    else
      fail("a number");
    return true;
  }

  bool string(string_t& value) override {
    if (place_ == Place::metadata) {
      header_.metadata[key_] = value;
      return true;
    }
    if (place_ != Place::tensor || key_ != "dtype") fail("a string");
    tensor().type = find_file_type(value);
    if (!tensor().type) fail("the unknown dtype \"" + value + "\"");
    return true;
  }

  bool start_object(size_t) override {
    if (place_ == Place::start) {
      place_ = Place::names;
    } else if (place_ == Place::names && key_ == kMetadata) {
      place_ = Place::metadata;
    } else if (place_ == Place::names) {
      header_.tensors.push_back({.name = std::move(key_)});
      has_shape_ = false;
      offsets_ = 0;
      place_ = Place::tensor;
    } else {
      fail("an object");
    }
    key_.clear();
    return true;
  }

  bool start_array(size_t) override {
    if (place_ == Place::tensor && key_ == "shape") {
      place_ = Place::shape;
    } else if (place_ == Place::tensor && key_ == "data_offsets") {
      place_ = Place::offsets;
    } else {
      fail("a list");
    }
    return true;
  }

  bool end_array() override {
    if (place_ == Place::shape) has_shape_ = true;
    place_ = Place::tensor;
    return true;
  }

  bool end_object() override {
    if (place_ == Place::tensor && (!tensor().type || !has_shape_ || offsets_ != 2))
      fail("not all of dtype, shape and data_offsets [begin, end]");
    place_ = place_ == Place::names ? Place::end : Place::names;
    return true;
  }

  bool key(string_t& name) override {
    key_ = std::move(name);
    bool twice = false;
    if (place_ == Place::names && key_ == kMetadata) twice = std::exchange(has_metadata_, true);
    if (place_ == Place::metadata) twice = header_.metadata.contains(key_);
    if (place_ == Place::tensor) {
      twice = (key_ == "dtype" && tensor().type) || (key_ == "shape" && has_shape_) ||
              (key_ == "data_offsets" && offsets_ > 0);
      if (key_ != "dtype" && key_ != "shape" && key_ != "data_offsets")
        fail("the key \"" + key_ + "\"");
    }
    if (twice) fail("the key \"" + key_ + "\" twice");
    return true;
  }

  bool parse_error(size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    throw_json_error(text_, static_cast<int64_t>(position), concat(where_, ": header"));
  }

 private:
  enum class Place { start, names, metadata, tensor, shape, offsets, end };

  SafetensorsHeader::Tensor& tensor() { return header_.tensors.back(); }

  [[noreturn]] void fail(std::string_view found) {
    const bool inside = place_ >= Place::tensor && place_ <= Place::offsets;
    throw Error(concat(where_,
                       ": header: ", inside ? "tensor \"" + tensor().name + "\" has " : "found ",
                       found, ": the file is damaged or not in the safetensors format"));
  }

  std::string_view text_, where_;
  SafetensorsHeader header_;
  Place place_ = Place::start;
  std::string key_;
  bool has_metadata_ = false, has_shape_ = false;  // has_shape_, offsets_: of the tensor being read
  int offsets_ = 0;
};

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view text, std::string_view where) {
  REQUIRE(
      text.starts_with('{'), where,
      ": the header does not begin with '{': the file is damaged or not in the safetensors format");
  HeaderReader reader(text, where);
  REQUIRE(Json::sax_parse(text.begin(), text.end(), &reader), where, ": header: not valid JSON");
  return reader.take();
}

}  // namespace malssi
