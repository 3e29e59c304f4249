#include "train/report/tensorboard.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <climits>

#include "base/error.h"

namespace malssi {
namespace {

static_assert(std::endian::native == std::endian::little, "records are little-endian");

constexpr std::array<uint32_t, 256> crc_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ ((value & 1) ? 0x82f63b78u : 0);
    table[i] = value;
  }
  return table;
}

template <class T>
std::string raw(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

// A protocol-buffer message, field by field.
class Message {
 public:
  Message& integer(int field, int64_t value) {
    key(field, 0);
    varint(static_cast<uint64_t>(value));
    return *this;
  }
  Message& number(int field, double value) {
    key(field, 1);
    bytes_ += raw(value);
    return *this;
  }
  Message& single(int field, float value) {
    key(field, 5);
    bytes_ += raw(value);
    return *this;
  }
  Message& text(int field, std::string_view value) {
    key(field, 2);
    varint(value.size());
    bytes_ += value;
    return *this;
  }
  Message& message(int field, const Message& value) { return text(field, value.bytes_); }
  const std::string& bytes() const { return bytes_; }

 private:
  void key(int field, int wire_type) { varint(static_cast<uint64_t>(field << 3 | wire_type)); }
  void varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
  }
  std::string bytes_;
};

// Numbers of fields and values in TensorFlow's event.proto, summary.proto and tensor.proto.
namespace event {
constexpr int kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7;
}
namespace summary {
constexpr int kValue = 1, kTag = 1, kSimpleValue = 2, kTensor = 8, kMetadata = 9;
constexpr int kPluginData = 1, kPluginName = 1;
}  // namespace summary
namespace tensor {
constexpr int kDataType = 1, kShape = 2, kStringValue = 8, kDim = 2, kDimSize = 1;
constexpr int kString = 7;
}  // namespace tensor
constexpr int kSessionStatus = 1, kSessionStart = 1;

double wall_seconds() {
  using std::chrono::system_clock;
  return std::chrono::duration<double>(system_clock::now().time_since_epoch()).count();
}

Message event_at(int64_t step) {
  return Message().number(event::kWallTime, wall_seconds()).integer(event::kStep, step);
}

fs::path new_file(const fs::path& folder) {
  static std::atomic<int> count = 0;
  std::array<char, HOST_NAME_MAX + 1> host{};
  if (gethostname(host.data(), host.size() - 1) != 0 || host[0] == '\0') host = {"localhost"};
  std::error_code ignored;  // the file's own error says more
  fs::create_directories(folder, ignored);
  fs::path path;
  do {
    path = folder / concat("events.out.tfevents.", static_cast<int64_t>(wall_seconds()), ".",
                           host.data(), ".", getpid(), ".", count++);
  } while (fs::exists(path));
  return path;
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  static constexpr std::array<uint32_t, 256> kTable = crc_table();
  uint32_t crc = 0xffffffffu;
  for (const char byte : bytes) crc = crc >> 8 ^ kTable[(crc ^ static_cast<uint8_t>(byte)) & 0xff];
  return ~crc;
}

uint32_t masked_crc32c(std::string_view bytes) {
  return std::rotr(crc32c(bytes), 15) + 0xa282ead8u;
}

EventWriter::EventWriter(const fs::path& folder, int64_t first_step)
    : path_(new_file(folder)), file_(path_) {
  record(Message()
             .number(event::kWallTime, wall_seconds())
             .text(event::kFileVersion, "brain.Event:2")
             .bytes());
  record(event_at(first_step)
             .message(event::kSessionLog, Message().integer(kSessionStatus, kSessionStart))
             .bytes());
}

void EventWriter::scalar(std::string_view tag, int64_t step, double value) {
  const Message entry =
      Message().text(summary::kTag, tag).single(summary::kSimpleValue, static_cast<float>(value));
  record(
      event_at(step).message(event::kSummary, Message().message(summary::kValue, entry)).bytes());
}

void EventWriter::text(std::string_view tag, int64_t step, std::string_view value) {
  const Message shape = Message().message(tensor::kDim, Message().integer(tensor::kDimSize, 1));
  const Message strings = Message()
                              .integer(tensor::kDataType, tensor::kString)
                              .message(tensor::kShape, shape)
                              .text(tensor::kStringValue, value);
  const Message metadata =
      Message().message(summary::kPluginData, Message().text(summary::kPluginName, "text"));
  const Message entry = Message()
                            .text(summary::kTag, tag)
                            .message(summary::kTensor, strings)
                            .message(summary::kMetadata, metadata);
  record(
      event_at(step).message(event::kSummary, Message().message(summary::kValue, entry)).bytes());
}

void EventWriter::record(std::string_view event) {
  const std::string length = raw(static_cast<uint64_t>(event.size()));
  std::string out = length + raw(masked_crc32c(length));
  out += event;
  out += raw(masked_crc32c(event));
  file_.write(out);
}

}  // namespace malssi
