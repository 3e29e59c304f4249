// The paged cache's kernels in every type that keys and values are kept in.
#include "kernels/paged.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "kernels/table.h"

namespace malssi {
namespace {

std::vector<float> numbers(int64_t count, uint64_t seed) {
  Rng rng(seed);
  std::vector<float> out(static_cast<size_t>(count));
  for (float& x : out) x = static_cast<float>(rng.normal());
  return out;
}

struct Kept {
  DType dtype, compute;
};

// Memory for pages, all of whose tokens are filled at random.
struct FilledPages {
  FilledPages(Kept kept, int64_t kv_heads, int64_t head_dim, int64_t pages)
      : layer{.dtype = kept.dtype,
              .kv_heads = kv_heads,
              .head_dim = head_dim,
              .compute = kept.compute},
        keys(static_cast<size_t>(pages * layer.page_bytes())),
        values(keys.size()) {
    layer.keys = keys.data();
    layer.values = values.data();
    uint64_t seed = 0;
    for (int64_t page = 0; page < pages; ++page)
      for (int64_t head = 0; head < kv_heads; ++head)
        for (int64_t token = 0; token < kPageTokens; ++token, seed += 2)
          layer.put(page, head, token, numbers(head_dim, seed).data(),
                    numbers(head_dim, seed + 1).data());
  }
  PagedLayer layer;
  std::vector<char> keys, values;
};

struct Case {
  int64_t heads, kv_heads, head_dim, window;
  float softcap;
};
constexpr Case kCases[] = {
    {4, 2, 20, 0, 0}, {1, 1, 64, 0, 5}, {6, 2, 32, 70, 0}, {8, 1, 128, 3, 0}};

class PagedIn : public testing::TestWithParam<Kept> {};
INSTANTIATE_TEST_SUITE_P(
    Types, PagedIn,
    testing::Values(Kept{DType::f32, DType::f32}, Kept{DType::bf16, DType::bf16},
                    Kept{DType::f16, DType::f32}, Kept{DType::q8_0, DType::f32},
                    Kept{DType::q8_0, DType::bf16}),
    [](const auto& kept) {
      return concat(dtype_name(kept.param.dtype), "_read_in_", dtype_name(kept.param.compute));
    });

std::vector<float> attended(const KernelTable& table, const FilledPages& pages, const Case& c,
                            DType dtype) {
  const int32_t first[] = {3, 0, 4}, second[] = {1};
  // Two sequences whose pages lie in any order, one of which goes on.
  const std::vector<PagedPiece> pieces = {{first, 61, 90, 0}, {second, 0, 7, 90}};
  const PagedQuery query{c.heads, c.heads * c.head_dim + 5, 0.3f, c.softcap, c.window};
  const std::vector<float> q = numbers(97 * query.row_width, 99);
  std::vector<float> out(static_cast<size_t>(97 * c.heads * c.head_dim), NAN);
  if (dtype == DType::f32) {
    table.attention_paged(pages.layer, query, pieces, {q.data(), dtype}, {out.data(), dtype});
    return out;
  }
  std::vector<bf16> narrow(q.begin(), q.end()), result(out.size(), bf16(NAN));
  table.attention_paged(pages.layer, query, pieces, {narrow.data(), dtype}, {result.data(), dtype});
  for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(result[i]);
  return out;
}

TEST_P(PagedIn, AttentionAgreesWithTheReference) {
  for (const Case& c : kCases) {
    const FilledPages pages(GetParam(), c.kv_heads, c.head_dim, 5);
    for (const DType dtype : {DType::f32, DType::bf16}) {
      const auto fast = attended(kernels(), pages, c, dtype);
      const auto slow = attended(scalar_kernels(), pages, c, dtype);
      const bool is_exact = GetParam().compute == DType::f32;
      // In bf16 queries and probabilities are rounded too.
      const float tolerance = !is_exact ? 5e-2f : dtype == DType::f32 ? 1e-4f : 2e-2f;
      for (size_t i = 0; i < fast.size(); ++i)
        ASSERT_NEAR(fast[i], slow[i], tolerance * (1 + std::abs(slow[i])))
            << c.head_dim << ", queries in " << dtype_name(dtype) << ", at " << i;
    }
  }
}

// The largest number that shares a scale with the i-th.
float largest_beside(const std::vector<float>& row, size_t i) {
  float largest = 0;
  for (size_t j = i / 32 * 32; j < std::min(i / 32 * 32 + 32, row.size()); ++j)
    largest = std::max(largest, std::abs(row[j]));
  return largest;
}

TEST_P(PagedIn, NumbersComeBackAsNearAsTheTypeAllows) {
  const FilledPages pages(GetParam(), 2, 40, 2);
  const PagedLayer& layer = pages.layer;
  std::vector<float> key = numbers(40, 7), value = numbers(40, 8);
  const float before = layer.key(1, 1, 16, 39);
  layer.put(1, 1, 17, key.data(), value.data());
  EXPECT_EQ(layer.key(1, 1, 16, 39), before);
  key.resize(static_cast<size_t>(layer.padded_dim()));
  if (layer.rotates()) rotate(key.data(), layer.padded_dim());
  const auto slack = [&](const std::vector<float>& row, size_t i) {
    if (layer.dtype == DType::q8_0) return largest_beside(row, i) / 127 * 0.51f;
    const float relative = layer.dtype == DType::bf16 ? 0x1p-8f : 0x1p-11f;
    return layer.dtype == DType::f32 ? 0 : std::abs(row[i]) * relative;
  };
  for (size_t i = 0; i < 40; ++i) {
    EXPECT_NEAR(layer.key(1, 1, 17, static_cast<int64_t>(i)), key[i], slack(key, i)) << i;
    EXPECT_NEAR(layer.value(1, 1, 17, static_cast<int64_t>(i)), value[i], slack(value, i)) << i;
  }
}

TEST(Paged, RotatingTwiceChangesNothingAndKeepsProducts) {
  const std::vector<float> a = numbers(64, 1), b = numbers(64, 2);
  std::vector<float> x = a, y = b;
  rotate(x.data(), 64);
  rotate(y.data(), 64);
  EXPECT_NEAR(std::inner_product(x.begin(), x.end(), y.begin(), 0.0f),
              std::inner_product(a.begin(), a.end(), b.begin(), 0.0f), 1e-4);
  EXPECT_GT(std::abs(x[0] - a[0]) + std::abs(x[1] - a[1]), 0.01);
  rotate(x.data(), 64);
  for (size_t i = 0; i < 64; ++i) EXPECT_NEAR(x[i], a[i], 1e-5) << i;
}

TEST_P(PagedIn, ZerosAndTheSmallestNumbersStayFinite) {
  const FilledPages pages(GetParam(), 1, 32, 1);
  std::vector<float> tiny(32, 1e-42f);
  const std::vector<float> none(32);
  pages.layer.put(0, 0, 5, tiny.data(), none.data());
  for (int64_t i = 0; i < 32; ++i) {
    EXPECT_NEAR(pages.layer.key(0, 0, 5, i), 0, 1e-41f);
    EXPECT_EQ(pages.layer.value(0, 0, 5, i), 0);
  }
}

TEST(Paged, TakesTheBytesOfItsType) {
  const auto bytes = [](DType dtype) {
    return PagedLayer{.dtype = dtype, .kv_heads = 2, .head_dim = 40}.page_bytes();
  };
  const int64_t elements = 2 * 64 * 64;
  EXPECT_EQ(bytes(DType::f32), 4 * elements);
  EXPECT_EQ(bytes(DType::bf16), 2 * elements);
  EXPECT_EQ(bytes(DType::f16), 2 * elements);
  EXPECT_EQ(bytes(DType::q8_0), elements * 34 / 32);
}

}  // namespace
}  // namespace malssi
