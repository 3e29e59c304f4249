// KvCache: keys and values of what each sequence has seen, so that a new token costs one row. CachedContext lets a model use it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/model.h"
#include "nn/context.h"

namespace malssi {

class KvCache {
 public:
  // Room for `slots` sequences of up to `capacity` tokens. dtype: f32 or bf16.
  KvCache(const ModelConfig& config, int64_t slots, int64_t capacity, DType dtype);

  int64_t slots() const { return static_cast<int64_t>(lengths_.size()); }
  int64_t capacity() const { return capacity_; }
  int64_t length(int64_t slot) const { return lengths_[static_cast<size_t>(slot)]; }
  // Forgets what lies at and after `length`.
  void truncate(int64_t slot, int64_t length);
  // Makes slot `to` hold what slot `from` does.
  void copy(int64_t from, int64_t to);
  int64_t bytes() const;

 private:
  friend class CachedContext;
  // Keys (or values) of one sequence in one layer: [kv_heads, capacity, head_dim].
  char* at(const Tensor& layer, int64_t slot) const;

  int64_t kv_heads_, head_dim_, capacity_;
  DType dtype_;
  std::vector<Tensor> keys_, values_;  // one for each layer: [slots, kv_heads, capacity, head_dim]
  std::vector<int64_t> lengths_;
};

// The next `count` tokens of some slots, one piece after the other. The cache grows when the last layer has attended.
class CachedContext : public Context {
 public:
  struct Piece {
    int64_t slot = 0;
    int64_t count = 0;
  };
  // Throws Error when a piece does not fit into its slot.
  CachedContext(KvCache& cache, std::vector<Piece> pieces);

  std::span<const int32_t> positions() const override { return positions_; }
  Tensor attend(int64_t layer, const Tensor& qkv, const AttentionSpec& spec) override;

 private:
  void store(int64_t layer, const Tensor& qkv, const AttentionSpec& spec);
  void attend_piece(int64_t layer, const Piece& piece, int64_t row, const Tensor& qkv,
                    const AttentionSpec& spec, const Tensor& out);

  KvCache& cache_;
  std::vector<Piece> pieces_;
  std::vector<int32_t> positions_;
};

}  // namespace malssi
