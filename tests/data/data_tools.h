// Helpers of the data tests.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "data/batches.h"
#include "data/shards.h"
#include "scratch.h"

namespace malssi {

// Documents of 1 .. longest random ids.
inline std::vector<std::vector<int32_t>> random_documents(int64_t count, int64_t longest,
                                                          int64_t vocab, uint64_t seed) {
  Rng rng(seed);
  std::vector<std::vector<int32_t>> documents(static_cast<size_t>(count));
  for (auto& document : documents) {
    document.resize(static_cast<size_t>(1 + rng.below(longest)));
    for (int32_t& id : document) id = static_cast<int32_t>(rng.below(vocab));
  }
  return documents;
}

inline std::vector<int32_t> all_ids(const TokenShards& shards) {
  std::vector<int32_t> ids(static_cast<size_t>(shards.token_count()));
  shards.copy(0, ids);
  return ids;
}

inline bool same(const Batch& a, const Batch& b) {
  return a.ids == b.ids && a.targets == b.targets && a.weights == b.weights && a.starts == b.starts;
}

// What every batch promises, whatever it was made from.
inline void expect_well_formed(const Batch& batch, int64_t vocab, int64_t longest_sequence) {
  ASSERT_EQ(batch.ids.size(), batch.targets.size());
  ASSERT_EQ(batch.ids.size(), batch.weights.size());
  ASSERT_GE(batch.starts.size(), 2u);
  EXPECT_EQ(batch.starts.front(), 0);
  EXPECT_EQ(batch.starts.back(), batch.tokens());
  for (size_t i = 1; i < batch.starts.size(); ++i) {
    EXPECT_LT(batch.starts[i - 1], batch.starts[i]);
    EXPECT_LE(batch.starts[i] - batch.starts[i - 1], longest_sequence);
  }
  for (size_t i = 0; i < batch.ids.size(); ++i) {
    EXPECT_TRUE(batch.ids[i] >= 0 && batch.ids[i] < vocab);
    EXPECT_TRUE(batch.targets[i] >= 0 && batch.targets[i] < vocab);
    EXPECT_TRUE(batch.weights[i] == 0.f || batch.weights[i] == 1.f);
  }
}

}  // namespace malssi
