// Context: how attention sees the past. The tokens of all sequences lie one after another in one
// axis of N. A training batch is a CausalBatch; decoding with a cache is infer's CachedContext; a
// model's code is the same for both.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "nn/low_rank.h"
#include "ops/attention.h"
#include "ops/rope.h"
#include "tensor/tensor.h"

namespace malssi {

// What an attention layer asks of the context.
struct AttentionSpec {
  AttentionHeads heads;
  const RopeTable* rope =
      nullptr;         // rotary positions; null: positions were learned and added before
  float dropout = 0;   // of attention probabilities, while training
  int64_t window = 0;  // > 0: a token sees itself and the window - 1 before it
  float softcap = 0;   // > 0: scores become softcap tanh(score / softcap)
  AttentionMask mask = AttentionMask::causal;
  const Tensor* prefix = nullptr;  // keys and values in front of each sequence (see with_prefix)
};

class Context {
 public:
  virtual ~Context() = default;
  // Each token's place in its sequence. [N]
  virtual std::span<const int32_t> positions() const = 0;
  // qkv [N, (heads + 2 kv_heads) head_dim]: queries, keys, values side by side -> [N, heads *
  // head_dim].
  virtual Tensor attend(int64_t layer, const Tensor& qkv, const AttentionSpec& spec) = 0;
  // Where each sequence begins, and at the end N; empty: the pass goes on with sequences that began before, whose virtual tokens
  // are in the cache.
  virtual std::span<const int32_t> starts() const { return {}; }
  // So many virtual tokens lie before each sequence that begins here.
  virtual void begin_at(int64_t /*position*/) {}
  // Seed for this pass's dropout; 0 switches dropout off.
  virtual uint64_t dropout_seed() const { return 0; }
  // A copy that gives the same again, for a backward pass that computes parts of the model anew; null where attend() changes
  // the context.
  virtual std::shared_ptr<Context> repeatable() const { return nullptr; }

  // The tokens' embeddings [N, width] as the model goes on with them: with noise, where training wants it.
  virtual Tensor noised(const Tensor& embedded) const { return embedded; }

  // Which of the model's adapters act on which tokens; at first none.
  const AdapterRows& adapters() const { return adapters_; }
  void set_adapters(AdapterRows rows) { adapters_ = std::move(rows); }

 private:
  AdapterRows adapters_;
};

// Whole sequences at once; each token sees what the mask shows it of its own sequence.
class CausalBatch : public Context {
 public:
  // starts: where each sequence begins, and at its end N: 0 = starts[0] < starts[1] < ... = N.
  explicit CausalBatch(std::vector<int32_t> starts, uint64_t dropout_seed = 0);

  std::span<const int32_t> positions() const override { return positions_; }
  Tensor attend(int64_t layer, const Tensor& qkv, const AttentionSpec& spec) override;
  std::span<const int32_t> starts() const override { return starts_; }
  void begin_at(int64_t position) override;
  uint64_t dropout_seed() const override { return dropout_seed_; }
  std::shared_ptr<Context> repeatable() const override {
    return std::make_shared<CausalBatch>(*this);
  }

 private:
  std::vector<int32_t> starts_;
  std::vector<int32_t> positions_;
  uint64_t dropout_seed_;
};

}  // namespace malssi
