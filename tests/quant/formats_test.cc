#include "quant/formats.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "base/error.h"
#include "base/hash.h"
#include "numbers.h"
#include "quant/blocks.h"

namespace malssi {
namespace {

constexpr int64_t kRows = 64, kColumns = 768;

// xxHash64 of what ggml_quantize_chunk of llama.cpp makes of numbers_to_pack(64, 768), without and with
// column_importance(768), and of the numbers that it reads from the former.
struct Reference {
  DType dtype;
  std::string_view packed, packed_by_importance, unpacked;
};
constexpr Reference kReferences[] = {
    {DType::q8_0, "8c61a899288ea0f5", "8c61a899288ea0f5", "816a07e6bfab713b"},
    {DType::q4_0, "5902e88782bb0cc4", "417780c61d9d8ff2", "9bd3bf7cee72dc2c"},
    {DType::q4_1, "388810a97e1ba2a8", "688991fee5fe25bd", "0af2a9595f85b4a7"},
    {DType::q5_0, "b70d64e46d48fe20", "f01642589d3d5d45", "3bafd0476ddda3fd"},
    {DType::q5_1, "e4df096db721390d", "49eb242943da09cb", "3e9ab3ebcdcc3b3a"},
    {DType::q2_k, "e0a77e1975129071", "cc04cb650158f135", "d963dbb640840869"},
    {DType::q3_k, "00829c2e397d711a", "0d7a13358f362656", "2d6d89c656508737"},
    {DType::q4_k, "70d2bd78aa92c1cd", "d21ccf5baef7928d", "e198f1a008478e03"},
    {DType::q5_k, "989ccc0d7b38bef4", "920c508cf2196e24", "b3d213d646a7e5d1"},
    {DType::q6_k, "69ddfd7e8ccc849f", "64457506704aca0b", "53baea7af8e262e4"},
    {DType::iq4_nl, "be196db575ee0199", "4fd50bcc74264784", "01808958d0399121"},
    {DType::mxfp4, "1cdabb4eb75da5d5", "1cdabb4eb75da5d5", "0ad45ed0ab1a1936"},
};

std::string hash_of(const auto& numbers) {
  return hash_text(hash64(std::as_bytes(std::span(numbers))));
}

std::vector<char> packed(DType dtype, const std::vector<float>& numbers, int64_t columns,
                         const float* importance) {
  std::vector<char> blocks(
      static_cast<size_t>(dtype_bytes(dtype, static_cast<int64_t>(numbers.size()))));
  pack_rows(quant_format(dtype), numbers.data(), importance, blocks.data(),
            static_cast<int64_t>(numbers.size()) / columns, columns);
  return blocks;
}

std::vector<float> unpacked(DType dtype, const std::vector<char>& blocks, int64_t rows,
                            int64_t columns) {
  std::vector<float> numbers(static_cast<size_t>(rows * columns));
  unpack_rows(quant_format(dtype), blocks.data(), numbers.data(), rows, columns);
  return numbers;
}

TEST(BlockFormats, PackTheBytesThatLlamaCppPacks) {
  const auto numbers = numbers_to_pack(kRows, kColumns);
  for (const Reference& reference : kReferences)
    EXPECT_EQ(hash_of(packed(reference.dtype, numbers, kColumns, nullptr)), reference.packed)
        << dtype_name(reference.dtype);
}

TEST(BlockFormats, PackByImportanceTheBytesThatLlamaCppPacks) {
  const auto numbers = numbers_to_pack(kRows, kColumns), importance = column_importance(kColumns);
  for (const Reference& reference : kReferences)
    EXPECT_EQ(hash_of(packed(reference.dtype, numbers, kColumns, importance.data())),
              reference.packed_by_importance)
        << dtype_name(reference.dtype);
}

TEST(BlockFormats, UnpackTheNumbersThatLlamaCppUnpacks) {
  const auto numbers = numbers_to_pack(kRows, kColumns);
  for (const Reference& reference : kReferences) {
    const auto blocks = packed(reference.dtype, numbers, kColumns, nullptr);
    EXPECT_EQ(hash_of(unpacked(reference.dtype, blocks, kRows, kColumns)), reference.unpacked)
        << dtype_name(reference.dtype);
  }
}

TEST(BlockFormats, LoseLessWithMoreBits) {
  const auto numbers = numbers_to_pack(1, kColumns);
  const auto error = [&](DType dtype) {
    const auto back = unpacked(dtype, packed(dtype, numbers, kColumns, nullptr), 1, kColumns);
    double sum = 0;
    for (size_t i = 0; i < back.size(); ++i) sum += std::pow(back[i] - numbers[i], 2);
    return sum;
  };
  const DType order[] = {DType::q2_k, DType::q3_k, DType::q4_k,
                         DType::q5_k, DType::q6_k, DType::q8_0};
  for (size_t i = 1; i < std::size(order); ++i)
    EXPECT_LT(error(order[i]), 0.5 * error(order[i - 1])) << dtype_name(order[i]);
}

TEST(BlockFormats, HonourImportance) {
  auto numbers = numbers_to_pack(1, kColumns);
  std::vector<float> importance(kColumns, 0.01f);
  for (int64_t i = 0; i < kColumns; i += 5) importance[static_cast<size_t>(i)] = 100;
  for (const DType dtype : {DType::q2_k, DType::q3_k, DType::q4_k, DType::q4_0, DType::iq4_nl}) {
    const auto error = [&](const float* given) {
      const auto back = unpacked(dtype, packed(dtype, numbers, kColumns, given), 1, kColumns);
      double sum = 0;
      for (size_t i = 0; i < back.size(); i += 5) sum += std::pow(back[i] - numbers[i], 2);
      return sum;
    };
    EXPECT_LT(error(importance.data()), error(nullptr)) << dtype_name(dtype);
  }
}

TEST(BlockFormats, SurviveNumbersTooSmallForAScaleAndTheLargest) {
  for (const float size : {1e-45f, 1e-39f, 1e-20f, kLargestPacked}) {
    std::vector<float> numbers(256);
    for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = i % 3 == 0 ? -size : size;
    const std::vector<float> importance(256, 1.0f);
    for (const Reference& reference : kReferences)
      for (const float* given : {static_cast<const float*>(nullptr), importance.data()}) {
        const auto back =
            unpacked(reference.dtype, packed(reference.dtype, numbers, 256, given), 1, 256);
        for (size_t i = 0; i < back.size(); ++i)
          ASSERT_LE(std::fabs(back[i] - numbers[i]), 0.7f * size + 1e-5f)
              << dtype_name(reference.dtype) << " " << size;
      }
  }
}

TEST(BlockFormats, AreOnlyThose) { EXPECT_THROW(quant_format(DType::f16), InternalError); }

}  // namespace
}  // namespace malssi
