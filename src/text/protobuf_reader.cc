#include "text/protobuf_reader.h"

#include <bit>

#include "base/error.h"

namespace malssi {

uint64_t ProtobufReader::varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    REQUIRE(at_ < bytes_.size(), where_, ": cut off inside a number at byte ", at_);
    const auto byte = static_cast<uint8_t>(bytes_[at_++]);
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  throw Error(concat(where_, ": a number of more than ten bytes at byte ", at_));
}

uint64_t ProtobufReader::fixed(size_t size) {
  REQUIRE(bytes_.size() - at_ >= size, where_, ": cut off inside a number at byte ", at_);
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i)
    value |= static_cast<uint64_t>(static_cast<uint8_t>(bytes_[at_ + i])) << (8 * i);
  at_ += size;
  return value;
}

std::optional<ProtobufField> ProtobufReader::next() {
  if (at_ >= bytes_.size()) return std::nullopt;
  const size_t start = at_;
  const uint64_t key = varint();
  ProtobufField field{.number = static_cast<int64_t>(key >> 3),
                      .wire_type = static_cast<int32_t>(key & 7)};
  switch (field.wire_type) {
    case 0:
      field.value = varint();
      break;
    case 1:
      field.value = fixed(8);
      break;
    case 2: {
      const uint64_t size = varint();
      REQUIRE(size <= bytes_.size() - at_, where_, ": field ", field.number, " at byte ", start,
              " claims ", size, " bytes, but ", bytes_.size() - at_, " are left");
      field.payload = bytes_.substr(at_, static_cast<size_t>(size));
      at_ += static_cast<size_t>(size);
      break;
    }
    case 5:
      field.value = fixed(4);
      break;
    default:
      throw Error(concat(where_, ": unknown wire type ", field.wire_type, " at byte ", start,
                         "; this is no such file"));
  }
  REQUIRE(field.number > 0, where_, ": a field without a number at byte ", start);
  return field;
}

float float_of(const ProtobufField& field, std::string_view where) {
  REQUIRE(field.wire_type == 5, where, ": field ", field.number, " is no float");
  return std::bit_cast<float>(static_cast<uint32_t>(field.value));
}

int64_t integer_of(const ProtobufField& field, std::string_view where) {
  REQUIRE(field.wire_type == 0, where, ": field ", field.number, " is no integer");
  return static_cast<int64_t>(field.value);
}

std::string_view bytes_of(const ProtobufField& field, std::string_view where) {
  REQUIRE(field.wire_type == 2, where, ": field ", field.number, " is no text");
  return field.payload;
}

}  // namespace malssi
