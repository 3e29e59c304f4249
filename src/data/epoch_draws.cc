#include "data/epoch_draws.h"

#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "data/permutation.h"

namespace malssi {

std::vector<int32_t> epoch_records(int64_t count, const std::vector<double>& weights,
                                   int64_t epoch) {
  std::vector<int32_t> records;
  if (weights.empty()) {
    records.resize(static_cast<size_t>(count));
    std::iota(records.begin(), records.end(), 0);
    return records;
  }
  CHECK(static_cast<int64_t>(weights.size()) == count, "a weight for each record");
  for (int64_t begin = 0; begin < count;) {
    const double weight = weights[static_cast<size_t>(begin)];
    int64_t end = begin;
    while (end < count && weights[static_cast<size_t>(end)] == weight) ++end;
    const Permutation order(end - begin, splitmix64(static_cast<uint64_t>(begin)));
    for (int64_t i = begin; i < end; ++i) {
      // Phases spread evenly over [0, 1): so many of the records pass a whole number in this epoch.
      const double phase =
          (static_cast<double>(order(i - begin)) + 0.5) / static_cast<double>(end - begin);
      const double passed = static_cast<double>(epoch) * weight + phase;
      const auto times = static_cast<int64_t>(std::floor(passed + weight) - std::floor(passed));
      records.insert(records.end(), static_cast<size_t>(times), static_cast<int32_t>(i));
    }
    begin = end;
  }
  return records;
}

EpochDraws::EpochDraws(int64_t count, std::vector<double> weights, uint64_t seed)
    : count_(count), weights_(std::move(weights)), seed_(seed) {
  per_epoch_ = weights_.empty() ? static_cast<double>(count)
                                : std::accumulate(weights_.begin(), weights_.end(), 0.0);
  REQUIRE(per_epoch_ > 0, "no record is drawn in any epoch: raise the weights of the data");
  plan(0);
}

void EpochDraws::plan(int64_t epoch) {
  do {
    const std::vector<int32_t> records = epoch_records(count_, weights_, epoch);
    const auto size = static_cast<int64_t>(records.size());
    const Permutation order(size, splitmix64(seed_) ^ splitmix64(static_cast<uint64_t>(epoch) + 1));
    order_.clear();
    for (int64_t i = 0; i < size; ++i) order_.push_back(records[static_cast<size_t>(order(i))]);
    epoch_ = epoch++;
  } while (order_.empty());
  position_ = 0;
}

std::vector<int64_t> EpochDraws::next(int64_t count) {
  std::vector<int64_t> records;
  for (int64_t i = 0; i < count; ++i, ++drawn_) {
    if (position_ == static_cast<int64_t>(order_.size())) plan(epoch_ + 1);
    records.push_back(order_[static_cast<size_t>(position_++)]);
  }
  return records;
}

void EpochDraws::restore(int64_t drawn) {
  REQUIRE(drawn >= 0, "data position: ", drawn, " records drawn: damaged");
  plan(0);
  drawn_ = drawn;
  while (drawn > static_cast<int64_t>(order_.size())) {
    drawn -= static_cast<int64_t>(order_.size());
    plan(epoch_ + 1);
  }
  position_ = drawn;
}

}  // namespace malssi
