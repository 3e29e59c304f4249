// NF4: the levels of bitsandbytes, the nearest of them for each number (golden values: nf4_reference.py).
#include <gtest/gtest.h>

#include <cmath>

#include "base/json.h"
#include "quant/blocks.h"
#include "quant/formats.h"

namespace malssi {
namespace {

Json golden() {
  return load_json(std::string(MALSSI_SOURCE_DIR) + "/tests/quant/nf4_reference.json");
}

std::vector<float> through_blocks(const std::vector<float>& x) {
  std::vector<BlockNf4> blocks(x.size() / kNf4Block);
  std::vector<float> back(x.size());
  const auto n = static_cast<int64_t>(x.size());
  pack_rows(quant_format(DType::nf4), x.data(), nullptr, blocks.data(), 1, n);
  unpack_rows(quant_format(DType::nf4), blocks.data(), back.data(), 1, n);
  return back;
}

TEST(Nf4, NumbersBecomeTheReferencesLevels) {
  const Json json = golden();
  const auto x = json["numbers"].get<std::vector<float>>();
  const auto want = json["unpacked"].get<std::vector<double>>();
  const std::vector<float> back = through_blocks(x);
  ASSERT_EQ(back.size(), want.size());
  for (size_t i = 0; i < back.size(); ++i)
    EXPECT_NEAR(back[i], want[i], std::fabs(want[i]) / 256) << i;  // the largest is rounded to bf16
}

TEST(Nf4, LevelsOfTheirLargestStayAsTheyAre) {
  std::vector<float> x;
  for (int i = 0; i < kNf4Block; ++i) x.push_back(kNf4Levels[(7 * i + 3) % 16] * 0.375f);
  EXPECT_EQ(through_blocks(x), x);
}

TEST(Nf4, ABlockOfZerosStaysZero) {
  const std::vector<float> zeros(2 * kNf4Block, 0.0f);
  EXPECT_EQ(through_blocks(zeros), zeros);
}

}  // namespace
}  // namespace malssi
