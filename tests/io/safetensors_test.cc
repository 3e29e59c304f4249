#include "io/safetensors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "models/model.h"
#include "scratch.h"

namespace malssi {
namespace {

// A file with this header and so many bytes of data.
std::string file_text(std::string_view header, size_t data_bytes) {
  const auto length = static_cast<uint64_t>(header.size());
  std::string text(sizeof(length), '\0');
  std::memcpy(text.data(), &length, sizeof(length));
  return text.append(header).append(data_bytes, '\x01');
}

class SafetensorsFile : public testing::Test {
 protected:
  std::string open_error(const std::string& content) {
    overwrite(path_, content);
    const std::string message = error_of([&] { Safetensors file(path_); });
    EXPECT_TRUE(message.empty() || is_one_line(message)) << message;
    return message;
  }
  std::string header_error(std::string_view header, size_t data_bytes) {
    return open_error(file_text(header, data_bytes));
  }
  // One F32 tensor of this shape and these offsets.
  std::string tensor_error(std::string_view shape, std::string_view offsets, size_t data_bytes) {
    return header_error(
        concat(R"({"t":{"dtype":"F32","shape":)", shape, R"(,"data_offsets":)", offsets, "}}"),
        data_bytes);
  }

  ScratchFolder scratch_;
  fs::path path_ = scratch_ / "m.safetensors";
};

std::vector<NamedTensor> example_tensors() {
  const std::vector<float> numbers = {1.5f, -2, 3, 0.25f, 1e-30f, -0.0f};
  return {{"half", Tensor::from(numbers, {6}).to(DType::bf16)},
          {"matrix", Tensor::from(numbers, {2, 3})},
          {"scalar", Tensor::from(std::span(numbers).first(1), Shape{})},
          {"empty", Tensor::zeros({0, 3})},
          {"이름", Tensor::from(std::span(numbers).first(2), {1, 1, 2, 1})}};
}

TEST_F(SafetensorsFile, ComesBackAsWritten) {
  const auto tensors = example_tensors();
  write_safetensors(path_, tensors, {{"format", "pt"}});
  const Safetensors file(path_);
  EXPECT_EQ(file.metadata(), Json({{"format", "pt"}}));
  EXPECT_EQ(file.entries().size(), tensors.size());
  for (const auto& [name, value] : tensors) {
    const Tensor loaded = file.load(name);
    EXPECT_EQ(loaded.dtype(), value.dtype()) << name;
    EXPECT_EQ(loaded.shape(), value.shape()) << name;
    EXPECT_EQ(loaded.bytes(), value.bytes());
    EXPECT_TRUE(value.bytes() == 0 ||
                std::memcmp(loaded.data(), value.data(), static_cast<size_t>(value.bytes())) == 0);
  }
  EXPECT_EQ(file.find("Matrix"), nullptr);
  EXPECT_TRUE(contains(error_of([&] { file.load("absent"); }), "no tensor named \"absent\""));
  EXPECT_EQ(describe(*file.find("matrix")), "F32 [2, 3]");
}

TEST_F(SafetensorsFile, BeginsItsDataAligned) {
  write_safetensors(path_, example_tensors());
  const Safetensors file(path_);
  for (const Entry& entry : file.entries()) {
    const auto address = reinterpret_cast<uintptr_t>(entry.bytes.data());
    EXPECT_EQ(address % static_cast<uintptr_t>(entry.type->bytes), 0u) << entry.name;
  }
}

TEST_F(SafetensorsFile, HoldsNoTensorsAtAll) {
  write_safetensors(path_, {});
  EXPECT_TRUE(Safetensors(path_).entries().empty());
}

TEST_F(SafetensorsFile, ReadsOtherNumberFormats) {
  std::string content =
      file_text(R"({"d":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},)"
                R"("h":{"dtype":"F16","shape":[2],"data_offsets":[8,12]},)"
                R"("b":{"dtype":"BOOL","shape":[1],"data_offsets":[12,13]},)"
                R"("f":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[13,14]},)"
                R"("r":{"dtype":"U8","shape":[1,1,1,1,1],"data_offsets":[14,15]}}   )",
                15);
  const double wide = -1.25;
  const uint16_t halves[] = {0x3c00, 0xc000};  // 1, -2
  std::memcpy(content.data() + content.size() - 15, &wide, 8);
  std::memcpy(content.data() + content.size() - 7, halves, 4);
  write_file(path_, content);
  const Safetensors file(path_);
  EXPECT_EQ(file.load("d").to_vector(), std::vector<float>{-1.25f});
  EXPECT_EQ(file.load("h").to_vector(), (std::vector<float>{1, -2}));
  EXPECT_EQ(file.load("b").dtype(), DType::u8);
  EXPECT_TRUE(contains(error_of([&] { file.load("f"); }), "not supported"));
  EXPECT_TRUE(contains(error_of([&] { file.load("r"); }), "at most 4 axes"));
}

TEST_F(SafetensorsFile, ReportsEveryTruncation) {
  write_safetensors(path_, example_tensors(), {{"format", "pt"}});
  const std::string content = read_file(path_);
  for (size_t length = 0; length < content.size(); ++length)
    EXPECT_NE(open_error(content.substr(0, length)), "") << length;
}

TEST_F(SafetensorsFile, SurvivesEveryFlippedHeaderBit) {
  const auto tensors = example_tensors();
  write_safetensors(path_, {tensors[0], tensors[1]}, {{"format", "pt"}});
  std::string content = read_file(path_);
  uint64_t length = 0;
  std::memcpy(&length, content.data(), sizeof(length));
  for (size_t bit = 0; bit < 8 * (8 + length); ++bit) {
    content[bit / 8] ^= static_cast<char>(1 << (bit % 8));
    const std::string message = open_error(content);
    // Only a name or the metadata can change unnoticed, or a space.
    EXPECT_TRUE(!message.empty() || Safetensors(path_).entries().size() == 2);
    content[bit / 8] ^= static_cast<char>(1 << (bit % 8));
  }
}

TEST_F(SafetensorsFile, RefusesHeadersThatCannotBe) {
  EXPECT_TRUE(contains(open_error(""), "too few"));
  EXPECT_TRUE(contains(open_error(std::string(8, '\xff')), "longer than the 100000000 allowed"));
  EXPECT_TRUE(contains(open_error(std::string(8, '\0')), "does not begin with '{'"));
  for (const char* header : {"[]",
                             "{}{}",
                             "{",
                             " {}",
                             "{\"t\":1}",
                             "{\"t\":[]}",
                             "{\"t\":{}}",
                             "{\"t\":null}",
                             "{\"__metadata__\":{\"a\":1}}",
                             "{\"__metadata__\":[]}",
                             R"({"t":{"dtype":"F32","shape":[0]}})",
                             R"({"t":{"dtype":"F33","shape":[0],"data_offsets":[0,0]}})",
                             R"({"t":{"dtype":1,"shape":[0],"data_offsets":[0,0]}})",
                             R"({"t":{"dtype":"F32","shape":0,"data_offsets":[0,0]}})",
                             R"({"t":{"dtype":"F32","shape":["0"],"data_offsets":[0,0]}})",
                             R"({"t":{"dtype":"F32","shape":[-1],"data_offsets":[0,0]}})",
                             R"({"t":{"dtype":"F32","shape":[0.0],"data_offsets":[0,0]}})",
                             R"({"t":{"dtype":"F32","shape":[[0]],"data_offsets":[0,0]}})",
                             R"({"t":{"dtype":"F32","shape":[0],"data_offsets":[0]}})",
                             R"({"t":{"dtype":"F32","shape":[0],"data_offsets":[0,0,0]}})",
                             R"({"t":{"dtype":"F32","shape":[0],"data_offsets":[0,0],"more":1}})",
                             R"({"t":{"dtype":"F32","shape":[0],"data_offsets":{"a":0}}})"})
    EXPECT_NE(header_error(header, 0), "") << header;
  EXPECT_EQ(tensor_error("[0]", "[0,0]", 0), "");
}

TEST_F(SafetensorsFile, RefusesAnythingGivenTwice) {
  const std::string one = R"("t":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  EXPECT_TRUE(contains(header_error("{" + one + "," + one + "}", 0), "\"t\" is given twice"));
  const std::string metadata = R"("__metadata__":{"a":"b"})";
  EXPECT_TRUE(contains(header_error("{" + metadata + "," + metadata + "}", 0), "twice"));
  EXPECT_TRUE(contains(header_error(R"({"__metadata__":{"a":"b","a":"b"}})", 0), "twice"));
  for (const char* more : {R"("dtype":"U8")", R"("shape":[0])", R"("data_offsets":[0,0])"})
    EXPECT_TRUE(contains(
        header_error(concat(R"({"t":{"dtype":"U8","shape":[0],"data_offsets":[0,0],)", more, "}}"),
                     0),
        "twice"));
}

TEST_F(SafetensorsFile, RefusesSizesThatOverflow) {
  EXPECT_TRUE(
      contains(tensor_error("[4611686018427387904,4]", "[0,0]", 0), "too large to be true"));
  EXPECT_TRUE(contains(tensor_error("[9223372036854775807]", "[0,0]", 0), "too large to be true"));
  EXPECT_TRUE(contains(tensor_error("[18446744073709551615]", "[0,0]", 0), "too large"));
  EXPECT_TRUE(contains(tensor_error("[1]", "[0,18446744073709551616]", 4), "tensor \"t\""));
  EXPECT_TRUE(
      contains(tensor_error("[1]", "[9223372036854775804,9223372036854775807]", 4), "without gap"));
  EXPECT_NE(tensor_error("[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "[0,4]", 4), "");
}

TEST_F(SafetensorsFile, RefusesGapsOverlapsAndLeftovers) {
  EXPECT_TRUE(contains(tensor_error("[1]", "[0,4]", 3), "cut short"));
  EXPECT_TRUE(contains(tensor_error("[1]", "[0,4]", 5), "1 bytes after the last tensor"));
  EXPECT_TRUE(contains(tensor_error("[1]", "[4,8]", 8), "expected to begin at 0"));
  EXPECT_TRUE(contains(tensor_error("[1]", "[4,0]", 4), "without gap"));
  EXPECT_TRUE(contains(tensor_error("[2]", "[0,4]", 4), "its shape and dtype need 8"));
  const auto two = [&](std::string_view a, std::string_view b) {
    return header_error(concat(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)", a,
                               R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)", b, "}}"),
                        8);
  };
  EXPECT_EQ(two("[0,4]", "[4,8]"), "");
  EXPECT_EQ(two("[4,8]", "[0,4]"), "");
  EXPECT_NE(two("[0,4]", "[0,4]"), "");
  EXPECT_NE(two("[0,4]", "[3,7]"), "");
  EXPECT_NE(two("[0,4]", "[5,9]"), "");
}

TEST_F(SafetensorsFile, AllowsEmptyTensorsOnlyBetweenOthers) {
  const auto with_empty_at = [&](std::string_view offsets) {
    return header_error(
        concat(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)",
               R"("e":{"dtype":"U8","shape":[0,9223372036854775807],"data_offsets":)", offsets,
               R"(},"f":{"dtype":"U8","shape":[0],"data_offsets":[4,4]}})"),
        4);
  };
  EXPECT_EQ(with_empty_at("[0,0]"), "");
  EXPECT_EQ(with_empty_at("[4,4]"), "");
  EXPECT_NE(with_empty_at("[2,2]"), "");
  EXPECT_NE(with_empty_at("[5,5]"), "");
}

TEST_F(SafetensorsFile, RefusesDeepAndInvalidJson) {
  EXPECT_NE(header_error("{\"t\":" + std::string(1'000'000, '['), 0), "");
  EXPECT_NE(header_error("{\"\xff\":{}}", 0), "");
  EXPECT_NE(header_error(R"({"t":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}},)", 0), "");
}

TEST_F(SafetensorsFile, IsNoFolderAndNoDevice) {
  EXPECT_TRUE(is_one_line(error_of([&] { Safetensors file(scratch_.path()); })));
  EXPECT_TRUE(is_one_line(error_of([&] { Safetensors file(scratch_ / "none"); })));
}

TEST_F(SafetensorsFile, IsRefusedWithTwoTensorsOfOneName) {
  const Tensor tensor = Tensor::zeros({1});
  EXPECT_THROW(write_safetensors(path_, {{"t", tensor}, {"t", tensor}}), InternalError);
}

}  // namespace
}  // namespace malssi
