#include "io/gguf.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>

#include "io/gguf_writer.h"
#include "quant/formats.h"
#include "scratch.h"

namespace malssi {
namespace {

void add(std::string& out, const auto& number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof(number));
}
void add_text(std::string& out, std::string_view text) {
  add(out, static_cast<uint64_t>(text.size()));
  out += text;
}
// A header of these many tensors and keys, whose content follows.
std::string header(uint64_t tensors, uint64_t keys, uint32_t version = 3) {
  std::string out = "GGUF";
  add(out, version);
  add(out, tensors);
  add(out, keys);
  return out;
}
std::string key(std::string_view name, GgufType type, const auto& number) {
  std::string out;
  add_text(out, name);
  add(out, static_cast<uint32_t>(type));
  add(out, number);
  return out;
}
std::string tensor(std::string_view name, const std::vector<uint64_t>& extents, uint32_t type,
                   uint64_t offset) {
  std::string out;
  add_text(out, name);
  add(out, static_cast<uint32_t>(extents.size()));
  for (const uint64_t extent : extents) add(out, extent);
  add(out, type);
  add(out, offset);
  return out;
}
std::string with_data(std::string head, size_t data_bytes, size_t alignment = 32) {
  head.resize((head.size() + alignment - 1) / alignment * alignment);
  return head.append(data_bytes, '\x01');
}

class GgufFile : public testing::Test {
 protected:
  std::string open_error(const std::string& content) {
    overwrite(path_, content);
    const std::string message = error_of([&] { Gguf file(path_); });
    EXPECT_TRUE(message.empty() || is_one_line(message)) << message;
    return message;
  }
  // A file of one tensor.
  std::string tensor_error(const std::vector<uint64_t>& extents, uint32_t type, uint64_t offset,
                           size_t data_bytes) {
    return open_error(with_data(header(1, 0) + tensor("t", extents, type, offset), data_bytes));
  }
  void write_example() {
    GgufWriter writer(path_);
    writer.put("general.architecture", std::string("llama"));
    writer.put("count", int64_t{7});
    writer.put("below", int64_t{-7});
    writer.put("huge", uint64_t{1} << 63);
    writer.put("rate", 0.5);
    writer.put("flag", true);
    writer.put("flags", std::vector<bool>{true, false});
    writer.put("sizes", std::vector<int64_t>{1, -2});
    writer.put("scores", std::vector<double>{0.25, -1});
    writer.put("tokens", std::vector<std::string>{"", "가", std::string("\xff\0", 2)});
    writer.put_bytes("map", "\x01\xff");
    writer.put("count", int64_t{8});
    writer.announce("matrix", DType::f32, {2, 3});
    writer.announce("blocks", DType::q8_0, {1, 64});
    writer.announce("half", DType::f16, {3});
    writer.write(matrix_, sizeof(matrix_));
    const std::vector<float> ones(64, 1.0f);
    std::vector<char> blocks(68);
    pack_rows(quant_format(DType::q8_0), ones.data(), nullptr, blocks.data(), 1, 64);
    writer.write(blocks.data(), 68);
    const uint16_t halves[] = {0x3c00, 0xc000, 0x3800};  // 1, -2, 0.5
    writer.write(halves, sizeof(halves));
    writer.commit();
  }

  ScratchFolder scratch_;
  fs::path path_ = scratch_ / "m.gguf";
  const float matrix_[6] = {1.5f, -2, 3, 0.25f, 1e-30f, -0.0f};
};

TEST_F(GgufFile, ComesBackAsWritten) {
  write_example();
  const Gguf file(path_);
  EXPECT_EQ(file.version(), 3);
  EXPECT_EQ(file.find_string("general.architecture"), "llama");
  EXPECT_EQ(file.find_int("count"), 8);
  EXPECT_EQ(file.find_int("below"), -7);
  EXPECT_EQ(*file.find("huge"), GgufValue(uint64_t{1} << 63));
  EXPECT_EQ(*file.find("rate"), GgufValue(0.5));
  EXPECT_EQ(file.find_bool("flag"), true);
  EXPECT_EQ(*file.find("flags"), GgufValue(std::vector<bool>{true, false}));
  EXPECT_EQ(*file.find("sizes"), GgufValue(std::vector<int64_t>{1, -2}));
  EXPECT_EQ(*file.find("scores"), GgufValue(std::vector<double>{0.25, -1}));
  EXPECT_EQ(*file.find("tokens"),
            GgufValue(std::vector<std::string>{"", "가", std::string("\xff\0", 2)}));
  EXPECT_EQ(*file.find("map"), GgufValue(std::vector<int64_t>{1, 255}));
  EXPECT_EQ(file.find("absent"), nullptr);
  EXPECT_EQ(file.tensors().size(), 3u);
  EXPECT_EQ(file.parameter_count(), 6 + 64 + 3);
  const Tensor matrix = file.borrow(*file.find_tensor("matrix"));
  EXPECT_EQ(matrix.shape(), (Shape{2, 3}));
  EXPECT_EQ(std::memcmp(matrix.data(), matrix_, sizeof(matrix_)), 0);
  EXPECT_EQ(file.borrow(*file.find_tensor("half")).to(DType::f32).to_vector(),
            (std::vector<float>{1, -2, 0.5f}));
  for (const float x : file.borrow(*file.find_tensor("blocks")).to(DType::f32).to_vector())
    EXPECT_NEAR(x, 1, 1e-3);
  EXPECT_EQ(file.find_tensor("Matrix"), nullptr);
}

TEST_F(GgufFile, LendsTensorsThatOutliveIt) {
  write_example();
  Tensor matrix;
  {
    const Gguf file(path_);
    matrix = file.borrow(*file.find_tensor("matrix"));
  }
  EXPECT_EQ(matrix.to_vector()[0], 1.5f);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(matrix.data()) % 32, 0u);
}

TEST_F(GgufFile, CopiesKeysAsTheyAre) {
  write_example();
  const fs::path copy = scratch_ / "copy.gguf";
  const Gguf file(path_);
  GgufWriter writer(copy);
  for (const GgufKey& k : file.keys()) writer.copy(k);
  writer.commit();
  const Gguf copied(copy);
  ASSERT_EQ(copied.keys().size(), file.keys().size());
  for (const GgufKey& k : file.keys())
    EXPECT_EQ(*copied.find(k.name), *file.find(k.name)) << k.name;
}

TEST_F(GgufFile, NamesTheKeyOfAnotherType) {
  write_example();
  const Gguf file(path_);
  EXPECT_TRUE(contains(error_of([&] { file.find_int("rate"); }),
                       "key \"rate\" is a number, expected an integer"));
  EXPECT_TRUE(contains(error_of([&] { file.find_string("count"); }), "expected a text"));
  EXPECT_TRUE(contains(error_of([&] { file.find_bool("tokens"); }), "a list of texts"));
}

TEST_F(GgufFile, OfVersionTwoIsRead) {
  overwrite(path_, with_data(header(1, 1, 2) + key("n", GgufType::u16, uint16_t{9}) +
                                 tensor("t", {4, 2}, 0, 0),
                             32));
  const Gguf file(path_);
  EXPECT_EQ(file.version(), 2);
  EXPECT_EQ(file.find_int("n"), 9);
  EXPECT_EQ(file.tensors()[0].shape, (Shape{2, 4}));
}

TEST_F(GgufFile, OfAnotherAlignmentIsRead) {
  const std::string keys = key("general.alignment", GgufType::u32, uint32_t{64});
  overwrite(path_, with_data(header(2, 1) + keys + tensor("a", {3}, 0, 0) + tensor("b", {1}, 0, 64),
                             68, 64));
  EXPECT_EQ(Gguf(path_).tensors()[1].bytes.size(), 4u);
  for (const uint32_t bad : {0u, 1u, 4u, 24u, 1u << 31})
    EXPECT_TRUE(contains(open_error(header(0, 1) + key("general.alignment", GgufType::u32, bad)),
                         "power of two"));
  EXPECT_NE(open_error(header(0, 1) + key("general.alignment", GgufType::u64, uint64_t{32})), "");
}

TEST_F(GgufFile, ReportsEveryTruncation) {
  write_example();
  const std::string content = read_file(path_);
  // The padding after the last tensor may be missing.
  for (size_t length = 0; length < content.size() - 26; ++length)
    EXPECT_NE(open_error(content.substr(0, length)), "") << length;
  EXPECT_EQ(open_error(content), "");
}

TEST_F(GgufFile, SurvivesEveryFlippedHeaderBit) {
  write_example();
  std::string content = read_file(path_);
  const size_t header_bytes = content.size() - 32 - 96 - 32;
  for (size_t bit = 0; bit < 8 * header_bytes; ++bit) {
    content[bit / 8] ^= static_cast<char>(1 << (bit % 8));
    // What goes unnoticed (a letter of a name, a number, an axis of the same bytes) still reads within the file.
    if (open_error(content).empty()) {
      const Gguf file(path_);
      EXPECT_EQ(file.keys().size(), 11u);
      for (const GgufKey& k : file.keys())
        error_of([&] { EXPECT_NE(file.find(k.name), nullptr) << k.name; });
      int64_t bytes = 0;
      for (const GgufTensor& t : file.tensors()) {
        bytes += static_cast<int64_t>(t.bytes.size());
        EXPECT_EQ(file.borrow(t).bytes(), static_cast<int64_t>(t.bytes.size()));
      }
      EXPECT_LE(bytes, file.file_bytes());
    }
    content[bit / 8] ^= static_cast<char>(1 << (bit % 8));
  }
}

TEST_F(GgufFile, RefusesHeadersThatCannotBe) {
  EXPECT_TRUE(contains(open_error(""), "cut short"));
  EXPECT_TRUE(contains(open_error("GGML" + std::string(64, '\0')), "not a GGUF file"));
  EXPECT_TRUE(contains(open_error(header(0, 0, 1)), "version 1"));
  EXPECT_TRUE(contains(open_error(header(0, 0, 0x03000000)), "big-endian"));
  const uint64_t most = ~uint64_t{0};
  EXPECT_TRUE(contains(open_error(header(0, most)), "number of keys"));
  EXPECT_TRUE(contains(open_error(header(most, 0)), "number of tensors"));
  EXPECT_TRUE(contains(open_error(header(1, 0)), "number of tensors"));
  EXPECT_TRUE(contains(open_error(header(0, 0) + std::string(64, 'x')), "64 bytes after"));
}

TEST_F(GgufFile, RefusesKeysThatCannotBe) {
  const uint64_t most = ~uint64_t{0};
  const auto one = [&](const std::string& content) {
    return open_error(header(0, 1) + content + std::string(8, '\0'));
  };
  const auto list = [&](GgufType element, uint64_t count) {
    std::string out = key("k", GgufType::array, static_cast<uint32_t>(element));
    add(out, count);
    return one(out);
  };
  EXPECT_TRUE(contains(one(key("k", static_cast<GgufType>(13), uint64_t{0})), "unknown type 13"));
  EXPECT_TRUE(contains(one(key("k", GgufType::string, most)), "key \"k\""));
  EXPECT_TRUE(contains(one(key("k", GgufType::boolean, uint8_t{2})), "neither true nor false"));
  EXPECT_TRUE(contains(list(GgufType::u64, most), "the length of \"k\""));
  EXPECT_TRUE(contains(list(GgufType::u64, (uint64_t{1} << 61) + 1), "the length of \"k\""));
  EXPECT_TRUE(contains(list(GgufType::string, 2), "the length of \"k\""));
  EXPECT_TRUE(contains(list(GgufType::array, 1), "expected numbers or texts"));
  EXPECT_TRUE(contains(list(static_cast<GgufType>(99), 1), "list of type 99"));
  EXPECT_TRUE(contains(one(key("", GgufType::u64, uint64_t{0})), "0 bytes long"));
  EXPECT_TRUE(contains(one(key("a\nb", GgufType::u64, uint64_t{0})), "no plain text"));
  EXPECT_TRUE(contains(open_error(header(0, 2) + key("k", GgufType::u64, uint64_t{0}) +
                                  key("k", GgufType::u64, uint64_t{0})),
                       "key \"k\" is given twice"));
}

TEST_F(GgufFile, RefusesTensorsThatCannotBe) {
  EXPECT_EQ(tensor_error({8}, 0, 0, 32), "");
  const uint64_t most = ~uint64_t{0};
  EXPECT_TRUE(contains(tensor_error({0}, 0, 0, 0), "axis of 0"));
  EXPECT_TRUE(contains(tensor_error({most}, 0, 0, 32), "which cannot be"));
  EXPECT_TRUE(contains(tensor_error({uint64_t{1} << 62, 4}, 0, 0, 32), "which cannot be"));
  EXPECT_TRUE(contains(tensor_error({uint64_t{1} << 61}, 0, 0, 32), "too large"));
  EXPECT_TRUE(contains(tensor_error({1, 1, 1, 1, 1}, 0, 0, 32), "5 axes"));
  EXPECT_TRUE(contains(tensor_error({8}, 0, 32, 64), "expected to begin at 0"));
  EXPECT_TRUE(contains(tensor_error({8}, 0, most, 32), "expected to begin at 0"));
  EXPECT_TRUE(contains(tensor_error({9}, 0, 0, 32), "needs 36 bytes"));
  EXPECT_TRUE(contains(tensor_error({8}, 0, 0, 64), "32 bytes after"));
  EXPECT_TRUE(contains(tensor_error({16}, 8, 0, 34), "no whole blocks of q8_0"));
  EXPECT_TRUE(contains(tensor_error({256}, 23, 0, 136), "of type IQ4_XS"));
  EXPECT_TRUE(contains(tensor_error({8}, 99, 0, 32), "of type unknown (99)"));
  const std::string twice = tensor("t", {8}, 0, 0) + tensor("t", {8}, 0, 32);
  EXPECT_TRUE(contains(open_error(with_data(header(2, 0) + twice, 64)), "given twice"));
  const std::string overlap = tensor("a", {8}, 0, 0) + tensor("b", {8}, 0, 0);
  EXPECT_TRUE(
      contains(open_error(with_data(header(2, 0) + overlap, 64)), "expected to begin at 32"));
}

TEST_F(GgufFile, OfSeveralPartsIsReadAsOne) {
  const auto part = [&](int64_t number, std::string_view name) {
    const fs::path path = scratch_ / concat("m-0000", number, "-of-00002.gguf");
    GgufWriter writer(path);
    writer.put("split.no", number - 1);
    writer.put("split.count", int64_t{2});
    writer.announce(name, DType::f32, {6});
    writer.write(matrix_, sizeof(matrix_));
    writer.commit();
    return path;
  };
  const fs::path first = part(1, "a"), second = part(2, "b");
  const Gguf file(first);
  EXPECT_EQ(file.tensors().size(), 2u);
  EXPECT_EQ(file.borrow(*file.find_tensor("b")).to_vector()[1], -2);
  EXPECT_TRUE(contains(error_of([&] { Gguf other(second); }), "name the first"));
  part(2, "a");
  EXPECT_TRUE(contains(error_of([&] { Gguf other(first); }), "two of its parts"));
  fs::copy_file(first, second, fs::copy_options::overwrite_existing);
  EXPECT_TRUE(contains(error_of([&] { Gguf other(first); }), "is not part 2"));
  fs::remove(second);
  EXPECT_TRUE(contains(error_of([&] { Gguf other(first); }), "00002-of-00002"));
  fs::rename(first, path_);
  EXPECT_TRUE(contains(error_of([&] { Gguf other(path_); }), "give it back its name"));
}

TEST_F(GgufFile, WithALargeVocabularyOpensAtOnce) {
  GgufWriter writer(path_);
  std::vector<std::string> tokens;
  for (int64_t i = 0; i < 256000; ++i) tokens.push_back("token " + std::to_string(i));
  writer.put("tokenizer.ggml.tokens", tokens);
  writer.commit();
  const auto start = std::chrono::steady_clock::now();
  const Gguf file(path_);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  EXPECT_LT(seconds.count(), 0.25);
  EXPECT_EQ(gguf_strings(*file.find("tokenizer.ggml.tokens"))->at(255999), "token 255999");
}

TEST_F(GgufFile, IsNotLeftHalfWritten) {
  {
    GgufWriter writer(path_);
    writer.announce("t", DType::f32, {6});
    writer.write(matrix_, sizeof(matrix_));
  }
  EXPECT_FALSE(fs::exists(path_));
  GgufWriter writer(path_);
  EXPECT_TRUE(contains(error_of([&] { writer.announce(std::string(64, 'n'), DType::f32, {1}); }),
                       "longer than the 63 bytes"));
}

}  // namespace
}  // namespace malssi
