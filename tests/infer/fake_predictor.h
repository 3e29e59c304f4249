// A model by table: the logits of the next token are any function of the tokens before it.
#pragma once

#include <functional>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "infer/predictor.h"

namespace malssi {

class FakePredictor : public Predictor {
 public:
  using Table = std::function<std::vector<float>(const std::vector<int32_t>& ids)>;

  FakePredictor(Table table, int64_t vocab, int64_t slots = 1, int64_t capacity = 64)
      : table_(std::move(table)),
        vocab_(vocab),
        capacity_(capacity),
        sequences_(static_cast<size_t>(slots)) {}

  int64_t vocab() const override { return vocab_; }
  int64_t slots() const override { return static_cast<int64_t>(sequences_.size()); }
  int64_t capacity() const override { return capacity_; }
  int64_t length(int64_t slot) const override { return static_cast<int64_t>(at(slot).size()); }
  void truncate(int64_t slot, int64_t length) override {
    sequences_[static_cast<size_t>(slot)].resize(static_cast<size_t>(length));
  }
  void copy(int64_t from, int64_t to) override { sequences_[static_cast<size_t>(to)] = at(from); }

  std::span<const float> feed(std::span<const Piece> pieces) override {
    ++passes;
    logits_.clear();
    for (const Piece& piece : pieces) {
      auto& sequence = sequences_[static_cast<size_t>(piece.slot)];
      CHECK(!piece.ids.empty(), "an empty piece");
      sequence.insert(sequence.end(), piece.ids.begin(), piece.ids.end());
      tokens_fed += static_cast<int64_t>(piece.ids.size());
      REQUIRE(length(piece.slot) <= capacity_, "slot ", piece.slot, " is full");
      for (int64_t i = piece.logits - 1; i >= 0; --i) {
        const std::vector<float> row = table_({sequence.begin(), sequence.end() - i});
        CHECK(static_cast<int64_t>(row.size()) == vocab_, "row of ", row.size());
        logits_.insert(logits_.end(), row.begin(), row.end());
      }
    }
    return logits_;
  }

  int64_t passes = 0;
  int64_t tokens_fed = 0;

 private:
  const std::vector<int32_t>& at(int64_t slot) const {
    return sequences_[static_cast<size_t>(slot)];
  }

  Table table_;
  int64_t vocab_;
  int64_t capacity_;
  std::vector<std::vector<int32_t>> sequences_;
  std::vector<float> logits_;
};

// Logits that differ for every history: a hash of it seeds a normal draw.
inline FakePredictor::Table random_table(int64_t vocab, uint64_t seed, double scale = 2.0) {
  return [=](const std::vector<int32_t>& ids) {
    uint64_t hash = splitmix64(seed);
    for (const int32_t id : ids) hash = splitmix64(hash ^ static_cast<uint64_t>(id + 1));
    Rng rng(hash);
    std::vector<float> logits(static_cast<size_t>(vocab));
    for (float& x : logits) x = static_cast<float>(scale * rng.normal());
    return logits;
  };
}

}  // namespace malssi
