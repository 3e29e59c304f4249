// The wire format of Protocol Buffers, read field by field from untrusted bytes: nothing is read
// beyond them, and no size is believed before it is compared with what is left.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace malssi {

struct ProtobufField {
  int64_t number = 0;
  int32_t wire_type = 0;          // 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes
  uint64_t value = 0;             // of types 0, 1 and 5
  std::string_view payload = {};  // of type 2
};

class ProtobufReader {
 public:
  // `where` names the message in errors.
  ProtobufReader(std::string_view bytes, std::string where)
      : bytes_(bytes), where_(std::move(where)) {}
  // The next field, or nothing at the end. Error: damaged bytes, with the place.
  std::optional<ProtobufField> next();

 private:
  uint64_t varint();
  uint64_t fixed(size_t size);

  std::string_view bytes_;
  size_t at_ = 0;
  std::string where_;
};

// The number in a field; Error when the field is of another type.
float float_of(const ProtobufField& field, std::string_view where);
int64_t integer_of(const ProtobufField& field, std::string_view where);
std::string_view bytes_of(const ProtobufField& field, std::string_view where);

}  // namespace malssi
