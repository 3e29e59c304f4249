// A model with a KV cache as a Predictor: each slot is a row of the cache. Virtual tokens of a slot's adapters lie in front of its
// own, in room of their own, and are not counted.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "infer/kv_cache.h"
#include "infer/predictor.h"
#include "models/model.h"

namespace malssi {

class ModelPredictor : public Predictor {
 public:
  // The model must outlive this, with all its adapters attached. capacity: tokens of each slot, 0 for the model's context; never
  // more than that. cache: what keys and values are kept in, without one as exact as the weights.
  ModelPredictor(Model& model, int64_t slots, int64_t capacity = 0,
                 std::optional<DType> cache = std::nullopt);

  int64_t vocab() const override { return model_.config().vocab; }
  int64_t slots() const override { return slots_; }
  int64_t capacity() const override { return capacity_; }
  int64_t length(int64_t slot) const override;
  void truncate(int64_t slot, int64_t length) override;
  void copy(int64_t from, int64_t to) override;
  int64_t adapters() const override { return model_.adapters(); }
  void check_adapters(const AdapterMix& mix) const override;
  void set_adapters(int64_t slot, const AdapterMix& mix) override;
  const KvCache& cache() const { return cache_; }
  std::span<const float> feed(std::span<const Piece> pieces) override;

 private:
  // How many virtual tokens lie in front of the slot's own.
  int64_t lead(int64_t slot) const;

  Model& model_;
  int64_t parameters_;
  int64_t slots_;
  int64_t capacity_;
  KvCache cache_;
  std::vector<AdapterMix> mixes_;              // of each slot
  std::vector<const VirtualTokens*> virtual_;  // of each slot, or null
  Tensor logits_;                              // of the last pass [M, V]
};

}  // namespace malssi
