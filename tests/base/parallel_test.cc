#include "base/parallel.h"

#include <gtest/gtest.h>

#include <chrono>
#include <numeric>
#include <set>
#include <thread>
#include <vector>

namespace malssi {
namespace {

class Parallel : public testing::Test {
 protected:
  void SetUp() override { set_thread_count(4); }
  void TearDown() override { set_thread_count(before_); }
  int before_ = thread_count();
};

TEST_F(Parallel, LoopsVisitEveryNumberOnce) {
  for (const int64_t n : {0, 1, 3, 4, 5, 1000})
    for (int round = 0; round < 200; ++round) {
      std::vector<int> visits(static_cast<size_t>(n));
      parallel_for(n, 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) ++visits[static_cast<size_t>(i)];
      });
      parallel_each(n, [&](int64_t i) { ++visits[static_cast<size_t>(i)]; });
      EXPECT_EQ(visits, std::vector<int>(static_cast<size_t>(n), 2));
    }
}

TEST_F(Parallel, TheSplitAndThePiecesNumbersAreAlwaysTheSame) {
  for (int round = 0; round < 100; ++round) {
    std::vector<int> piece_of(10);
    parallel_for(10, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) piece_of[static_cast<size_t>(i)] = thread_index();
    });
    EXPECT_EQ(piece_of, (std::vector<int>{0, 0, 1, 1, 1, 2, 2, 3, 3, 3}));
  }
}

TEST_F(Parallel, LoopsInsideLoopsRunInLine) {
  std::atomic<int> inner = 0;
  parallel_for(4, 1, [&](int64_t, int64_t) {
    const auto thread = std::this_thread::get_id();
    parallel_for(4, 1, [&](int64_t begin, int64_t end) {
      EXPECT_EQ(std::this_thread::get_id(), thread);
      inner += static_cast<int>(end - begin);
    });
  });
  EXPECT_EQ(inner, 16);
  EXPECT_FALSE(in_parallel());
}

TEST_F(Parallel, ThreadsMayLoopBesideEachOther) {
  std::vector<std::thread> threads;
  std::atomic<int64_t> sum = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      set_thread_count(3);
      for (int round = 0; round < 500; ++round)
        parallel_for(30, 1, [&](int64_t begin, int64_t end) { sum += end - begin; });
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sum, 4 * 500 * 30);
}

// More threads than processors: those that get none must not be waited for in every loop.
TEST_F(Parallel, AThreadWithoutAProcessorIsNotWaitedFor) {
  set_thread_count(4 * static_cast<int>(std::thread::hardware_concurrency()));
  const auto start = std::chrono::steady_clock::now();
  for (int round = 0; round < 300; ++round)
    parallel_for(thread_count(), 1, [](int64_t, int64_t) {});
  // A scheduler's slice is some milliseconds.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
}

TEST(ThreadCount, IsEachThreadsOwnAndHasADefault) {
  const int before = thread_count();
  set_thread_count(3);
  int elsewhere = 0;
  std::thread([&] { elsewhere = thread_count(); }).join();
  EXPECT_EQ(thread_count(), 3);
  EXPECT_EQ(elsewhere, before);
  set_thread_count(before);
}

}  // namespace
}  // namespace malssi
