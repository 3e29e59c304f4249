#include "data/batches.h"

#include <chrono>
#include <set>

#include "data/data_tools.h"
#include "data/permutation.h"

namespace malssi {
namespace {

// Ids 0, 1, 2, ..: an id tells its place.
TokenShards counting(const std::vector<int64_t>& lengths) {
  std::vector<std::vector<int32_t>> documents;
  int32_t next = 0;
  for (const int64_t length : lengths) {
    documents.emplace_back();
    for (int64_t i = 0; i < length; ++i) documents.back().push_back(next++);
  }
  return TokenShards::in_memory(documents, next);
}

std::set<int32_t> begins_of(const TokenShards& shards) {
  std::set<int32_t> begins;
  for (int64_t i = 0; i < shards.document_count(); ++i)
    begins.insert(static_cast<int32_t>(shards.document_begin(i)));
  return begins;
}

// With counting ids: each sequence is a run inside one document, and exactly the begins of documents begin new ones.
void expect_documents_apart(const Batch& batch, const std::set<int32_t>& begins, int64_t context) {
  const std::set<int32_t> starts(batch.starts.begin(), batch.starts.end());
  for (int32_t i = 0; i < batch.tokens(); ++i) {
    const size_t at = static_cast<size_t>(i);
    const bool fresh = i % context == 0 || begins.contains(batch.ids[at]);
    EXPECT_EQ(starts.contains(i), fresh) << i;
    EXPECT_EQ(batch.targets[at], batch.ids[at] + 1);
    if (begins.contains(batch.targets[at])) {
      EXPECT_EQ(batch.weights[at], 0.f) << i;
    }
  }
}

TEST(PackedBatches, WindowsAreContiguousAndTargetsFollow) {
  const TokenShards shards = counting({1000});
  PackedBatches batches(shards, {.context = 16, .rows = 4});
  for (int step = 0; step < 20; ++step) {
    const Batch batch = batches.next();
    expect_well_formed(batch, shards.vocab(), 16);
    ASSERT_EQ(batch.tokens(), 64);
    EXPECT_EQ(batch.starts, (std::vector<int32_t>{0, 16, 32, 48, 64}));
    EXPECT_EQ(batch.scored(), 64);
    for (size_t i = 0; i < 64; ++i) {
      EXPECT_EQ(batch.targets[i], batch.ids[i] + 1);
      if (i % 16) {
        EXPECT_EQ(batch.ids[i], batch.ids[i - 1] + 1);
      }
    }
  }
}

TEST(PackedBatches, RandomWindowsReachEveryPlaceEvenly) {
  const TokenShards shards = counting({12});
  PackedBatches batches(shards, {.context = 4, .rows = 8});
  std::map<int32_t, int> begins;
  for (int step = 0; step < 1000; ++step) {
    const Batch batch = batches.next();
    for (size_t row = 0; row < 8; ++row) ++begins[batch.ids[row * 4]];
  }
  ASSERT_EQ(begins.size(), 8u);  // 12 - 4, as in nanoGPT
  for (const auto& [begin, count] : begins) EXPECT_NEAR(count, 1000, 150) << begin;
}

TEST(PackedBatches, SequencesBeginAtDocumentsAndTargetsNeverCross) {
  const TokenShards shards = counting({5, 1, 1, 30, 3, 17, 2});
  for (const char* mode : {"random", "epoch"}) {
    PackedBatches batches(shards, {.context = 8, .rows = 3, .mode = mode});
    for (int step = 0; step < 50; ++step) {
      const Batch batch = batches.next();
      expect_well_formed(batch, shards.vocab(), 8);
      expect_documents_apart(batch, begins_of(shards), 8);
    }
  }
}

TEST(PackedBatches, CrossesDocumentsWhenAsked) {
  const TokenShards shards = counting({5, 1, 1, 30, 3, 17, 2});
  PackedBatches batches(shards, {.context = 8, .rows = 3, .cross_documents = true});
  for (int step = 0; step < 20; ++step) {
    const Batch batch = batches.next();
    EXPECT_EQ(batch.starts, (std::vector<int32_t>{0, 8, 16, 24}));
    EXPECT_EQ(batch.scored(), 24);
  }
}

// Every target of the data, except the first tokens of documents, exactly once an epoch.
void expect_each_target_once(const std::vector<int64_t>& lengths, int64_t context, int64_t rows) {
  const TokenShards shards = counting(lengths);
  PackedBatches batches(shards, {.context = context, .rows = rows, .mode = "epoch"});
  std::map<int32_t, int> scored;
  std::map<int32_t, int> expected;
  int64_t epochs = 0;
  while (epochs < 3) {  // to an end of an epoch that is an end of a batch
    const Batch batch = batches.next();
    for (size_t i = 0; i < batch.ids.size(); ++i)
      if (batch.weights[i] > 0) ++scored[batch.targets[i]];
    ASSERT_LE(batches.epochs(), 1000);
    if (batches.epochs() == std::floor(batches.epochs()))
      epochs = static_cast<int64_t>(batches.epochs());
  }
  const std::set<int32_t> begins = begins_of(shards);
  for (int32_t id = 0; id < shards.token_count(); ++id)
    if (!begins.contains(id)) expected[id] = static_cast<int>(epochs);
  EXPECT_EQ(scored, expected) << "context " << context << " rows " << rows;
}

TEST(PackedBatches, AnEpochScoresEveryTargetExactlyOnce) {
  for (const int64_t context : {1, 2, 7, 16, 40, 58}) {
    for (const int64_t rows : {1, 2, 3})
      expect_each_target_once({5, 1, 1, 30, 3, 17, 2}, context, rows);
  }
  expect_each_target_once({1000}, 64, 1);
  expect_each_target_once({65}, 64, 1);
}

TEST(PackedBatches, EpochsAreShuffledAndCutDifferently) {
  const TokenShards shards = counting({1000});
  PackedBatches batches(shards, {.context = 10, .rows = 1, .mode = "epoch"});
  std::vector<std::vector<int32_t>> orders(2);
  while (batches.epochs() < 1) orders[0].push_back(batches.next().ids[0]);
  while (batches.epochs() < 2) orders[1].push_back(batches.next().ids[0]);
  EXPECT_FALSE(std::is_sorted(orders[0].begin(), orders[0].end()));
  EXPECT_NE(orders[0], orders[1]);
  for (auto& order : orders) std::sort(order.begin(), order.end());
  EXPECT_NE(orders[0], orders[1]);
}

TEST(PackedBatches, TheSameSeedGivesTheSameBatches) {
  const TokenShards shards = counting({100, 200, 300});
  for (const char* mode : {"random", "epoch"}) {
    PackedBatches a(shards, {.context = 32, .rows = 2, .seed = 7, .mode = mode});
    PackedBatches b(shards, {.context = 32, .rows = 2, .seed = 7, .mode = mode});
    PackedBatches other(shards, {.context = 32, .rows = 2, .seed = 8, .mode = mode});
    bool differs = false;
    for (int step = 0; step < 20; ++step) {
      const Batch batch = a.next();
      EXPECT_TRUE(same(batch, b.next()));
      differs |= !same(batch, other.next());
    }
    EXPECT_TRUE(differs);
  }
}

TEST(PackedBatches, ContinuesExactlyAfterRestore) {
  const TokenShards shards = counting({100, 200, 300, 5});
  for (const char* mode : {"random", "epoch"}) {
    for (const int before : {0, 1, 8, 9, 10, 33}) {  // an epoch ends within some
      const BatchOptions options{.context = 32, .rows = 2, .seed = 3, .mode = mode};
      PackedBatches a(shards, options);
      for (int step = 0; step < before; ++step) a.next();
      PackedBatches b(shards, options);
      b.restore(parse_json(dump_json(a.state()), "state"));
      EXPECT_EQ(a.epochs(), b.epochs());
      for (int step = 0; step < 30; ++step) EXPECT_TRUE(same(a.next(), b.next()));
    }
  }
}

TEST(PackedBatches, RefusesTheStateOfOtherData) {
  const TokenShards shards = counting({100}), longer = counting({101});
  const PackedBatches a(shards, {.context = 8});
  PackedBatches b(longer, {.context = 8}), c(shards, {.context = 9}), d(shards, {.context = 8});
  EXPECT_TRUE(contains(error_of([&] { b.restore(a.state()); }), "\"tokens\" was 100 and is 101"));
  EXPECT_TRUE(contains(error_of([&] { c.restore(a.state()); }), "\"context\" was 8 and is 9"));
  Json damaged = a.state();
  damaged["position"] = -1;
  EXPECT_TRUE(contains(error_of([&] { d.restore(damaged); }), "damaged"));
  EXPECT_TRUE(is_one_line(error_of([&] { d.restore(Json::object()); })));
}

TEST(PackedBatches, RefusesASequenceLongerThanTheData) {
  const TokenShards shards = counting({100});
  const std::string message = error_of([&] { PackedBatches(shards, {.context = 100}); });
  EXPECT_TRUE(contains(message, "100 tokens, but a context of 100 needs at least 101")) << message;
  EXPECT_NO_THROW(PackedBatches(shards, {.context = 99}).next());
  EXPECT_TRUE(contains(error_of([&] { PackedBatches(shards, {.context = 0}); }), "context 0"));
  EXPECT_TRUE(contains(error_of([&] { PackedBatches(shards, {.rows = 0}); }), "rows 0"));
  EXPECT_TRUE(
      contains(error_of([&] { PackedBatches(shards, {.context = 9, .mode = "x"}); }), "\"x\""));
}

TEST(PackedBatches, ABatchTakesWellUnderAMillisecond) {
  const TokenShards shards =
      TokenShards::in_memory(random_documents(20'000, 100, 50'000, 1), 50'000);
  PackedBatches batches(shards, {.context = 256, .rows = 64});
  batches.next();
  double best = 1;
  for (int attempt = 0; attempt < 20; ++attempt) {
    const auto begin = std::chrono::steady_clock::now();
    batches.next();
    best = std::min(
        best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  RecordProperty("microseconds", static_cast<int>(best * 1e6));
#ifdef __SANITIZE_ADDRESS__
  EXPECT_LT(best, 0.05);
#else
  EXPECT_LT(best, 0.001);
#endif
}

TEST(EvaluationBatches, ScoreEveryTargetOnceInOrder) {
  for (const int64_t context : {1, 7, 16, 58, 100}) {
    const TokenShards shards = counting({5, 1, 1, 30, 3, 17, 2});
    const EvaluationBatches batches(shards, {.context = context, .rows = 3});
    std::vector<int32_t> scored, expected;
    for (int64_t i = 0; i < batches.size(); ++i) {
      const Batch batch = batches.at(i);
      expect_well_formed(batch, shards.vocab(), std::min<int64_t>(context, 58));
      expect_documents_apart(batch, begins_of(shards), std::min<int64_t>(context, 58));
      for (size_t j = 0; j < batch.ids.size(); ++j)
        if (batch.weights[j] > 0) scored.push_back(batch.targets[j]);
    }
    const std::set<int32_t> begins = begins_of(shards);
    for (int32_t id = 0; id < shards.token_count(); ++id)
      if (!begins.contains(id)) expected.push_back(id);
    EXPECT_EQ(scored, expected) << context;
  }
}

TEST(EvaluationBatches, ALimitTakesEvenlySpreadWindows) {
  const TokenShards shards = counting({1001});
  const EvaluationBatches batches(shards, {.context = 10, .rows = 4, .max_rows = 5});
  ASSERT_EQ(batches.size(), 2);
  std::vector<int32_t> begins;
  for (int64_t i = 0; i < batches.size(); ++i)
    for (int64_t row = 0; row * 10 < batches.at(i).tokens(); ++row)
      begins.push_back(batches.at(i).ids[static_cast<size_t>(row * 10)]);
  EXPECT_EQ(begins, (std::vector<int32_t>{0, 200, 400, 600, 800}));
}

TEST(EvaluationBatches, RefuseDataWithoutATarget) {
  const TokenShards shards = counting({1});
  EXPECT_TRUE(
      contains(error_of([&] { EvaluationBatches(shards, {}); }), "1 tokens, expected at least 2"));
}

TEST(Permutation, VisitsEveryPlaceOnceInAnotherOrder) {
  for (const int64_t n : {1, 2, 3, 4, 5, 17, 64, 1000}) {
    const Permutation order(n, 5), other(n, 6);
    std::set<int64_t> seen;
    bool differs = false;
    for (int64_t i = 0; i < n; ++i) {
      seen.insert(order(i));
      differs |= order(i) != other(i);
    }
    EXPECT_EQ(static_cast<int64_t>(seen.size()), n);
    EXPECT_EQ(*seen.rbegin(), n - 1);
    EXPECT_TRUE(differs || n < 17);
  }
}

}  // namespace
}  // namespace malssi
