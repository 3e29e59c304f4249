// Reads event files back with a decoder that shares nothing with the writer: CRC bit by bit, fields
// as the wire has them.
#include "train/report/tensorboard.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>
#include <stdexcept>
#include <vector>

#include "scratch.h"

namespace malssi {
namespace {

uint32_t slow_crc32c(std::string_view bytes) {
  uint32_t crc = 0xffffffffu;
  for (const unsigned char byte : bytes)
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc >> 1) ^ ((((crc ^ (byte >> bit)) & 1) != 0) ? 0x82f63b78u : 0u);
  return crc ^ 0xffffffffu;
}

uint32_t slow_mask(uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8u; }

template <class T>
T take(std::string_view& bytes) {
  if (bytes.size() < sizeof(T)) throw std::runtime_error("the file ends within a record");
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes.remove_prefix(sizeof value);
  return value;
}

uint64_t take_varint(std::string_view& bytes) {
  uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = take<uint8_t>(bytes);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
}

// The fields of a message: number -> raw bytes, or the varint's value as eight bytes.
using Fields = std::multimap<int, std::string>;

Fields fields_of(std::string_view bytes) {
  Fields fields;
  while (!bytes.empty()) {
    const uint64_t key = take_varint(bytes);
    const int number = static_cast<int>(key >> 3);
    size_t length = 0;
    switch (key & 7) {
      case 0: {
        const uint64_t value = take_varint(bytes);
        fields.emplace(number, std::string(reinterpret_cast<const char*>(&value), 8));
        continue;
      }
      case 1:
        length = 8;
        break;
      case 2:
        length = take_varint(bytes);
        break;
      case 5:
        length = 4;
        break;
      default:
        throw std::runtime_error("unknown wire type");
    }
    if (length > bytes.size()) throw std::runtime_error("a field exceeds its message");
    fields.emplace(number, bytes.substr(0, length));
    bytes.remove_prefix(length);
  }
  return fields;
}

template <class T>
T value_of(const Fields& fields, int number) {
  T value{};
  const auto found = fields.find(number);
  if (found == fields.end())
    throw std::runtime_error("field " + std::to_string(number) + " is missing");
  std::memcpy(&value, found->second.data(), std::min(sizeof value, found->second.size()));
  return value;
}

std::vector<Fields> events_in(const fs::path& file) {
  const std::string content = read_file(file);
  std::string_view bytes = content;
  std::vector<Fields> events;
  while (!bytes.empty()) {
    const std::string_view length_bytes = bytes.substr(0, 8);
    const auto length = take<uint64_t>(bytes);
    EXPECT_EQ(take<uint32_t>(bytes), slow_mask(slow_crc32c(length_bytes)));
    const std::string_view event = bytes.substr(0, length);
    bytes.remove_prefix(event.size());
    EXPECT_EQ(take<uint32_t>(bytes), slow_mask(slow_crc32c(event)));
    events.push_back(fields_of(event));
  }
  return events;
}

TEST(Crc32c, MatchesPublishedValues) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(""), 0u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);  // RFC 3720, B.4
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
}

TEST(EventWriter, OpensWithItsVersionAndAStartMark) {
  ScratchFolder folder;
  const EventWriter writer(folder.path(), 120);
  EXPECT_NE(writer.path().filename().string().find("events.out.tfevents."), std::string::npos);
  const auto events = events_in(writer.path());
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].find(3)->second, "brain.Event:2");
  EXPECT_GT(value_of<double>(events[0], 1), 1.6e9);
  EXPECT_EQ(value_of<int64_t>(events[1], 2), 120);
  EXPECT_EQ(value_of<int64_t>(fields_of(events[1].find(7)->second), 1), 1);
}

TEST(EventWriter, ScalarsComeBackWithTagStepAndValue) {
  ScratchFolder folder;
  EventWriter writer(folder.path());
  writer.scalar("train/loss", 10, 1.25);
  writer.scalar("train/loss", 3'000'000'000, NAN);
  const auto events = events_in(writer.path());
  ASSERT_EQ(events.size(), 4u);
  const Fields value = fields_of(fields_of(events[2].find(5)->second).find(1)->second);
  EXPECT_EQ(value.find(1)->second, "train/loss");
  EXPECT_EQ(value_of<float>(value, 2), 1.25f);
  EXPECT_EQ(value_of<int64_t>(events[2], 2), 10);
  EXPECT_EQ(value_of<int64_t>(events[3], 2), 3'000'000'000);
  EXPECT_TRUE(std::isnan(
      value_of<float>(fields_of(fields_of(events[3].find(5)->second).find(1)->second), 2)));
}

TEST(EventWriter, TextIsAStringTensorOfTheTextPlugin) {
  ScratchFolder folder;
  EventWriter writer(folder.path());
  const std::string sample = "옛날 옛적에 " + std::string(300, 'x');
  writer.text("samples", 5, sample);
  const Fields value =
      fields_of(fields_of(events_in(writer.path())[2].find(5)->second).find(1)->second);
  const Fields strings = fields_of(value.find(8)->second);
  EXPECT_EQ(value_of<int64_t>(strings, 1), 7);
  EXPECT_EQ(strings.find(8)->second, sample);
  const Fields plugin = fields_of(fields_of(value.find(9)->second).find(1)->second);
  EXPECT_EQ(plugin.find(1)->second, "text");
}

TEST(EventWriter, TwoWritersInOneFolderHaveTwoFiles) {
  ScratchFolder folder;
  const EventWriter first(folder.path()), second(folder.path());
  EXPECT_NE(first.path(), second.path());
}

}  // namespace
}  // namespace malssi
