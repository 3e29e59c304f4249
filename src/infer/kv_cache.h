// KvCache: keys and values of what each sequence has seen, so that a new token costs one row, in pages of 64 tokens that
// sequences may share (Kwon et al. 2023). CachedContext lets a model use it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/paged.h"
#include "models/model.h"
#include "nn/context.h"

namespace malssi {

class KvCache {
 public:
  // Room for `slots` sequences of up to `capacity` tokens; memory is taken as it is used. compute: what q8_0 is unpacked to.
  KvCache(const ModelConfig& config, int64_t slots, int64_t capacity, DType dtype,
          DType compute = DType::f32);

  int64_t slots() const { return static_cast<int64_t>(slots_.size()); }
  int64_t capacity() const { return capacity_; }
  int64_t length(int64_t slot) const { return slots_[static_cast<size_t>(slot)].length; }
  DType dtype() const { return layers_.front().dtype; }
  // Forgets what lies at and after `length`.
  void truncate(int64_t slot, int64_t length);
  // Makes slot `to` hold what slot `from` does: it shares the pages until one of them goes on.
  void copy(int64_t from, int64_t to);
  // Begins an empty slot with the keys and values of a prefix, f32 [V, layers 2 kv_heads head_dim] (see with_prefix).
  void put_prefix(int64_t slot, const Tensor& prefix);
  // Of a token's keys and values in all layers.
  int64_t token_bytes() const {
    return static_cast<int64_t>(memory_.size()) * layers_.front().page_bytes() / kPageTokens;
  }
  // Of the pages in use.
  int64_t bytes() const;

 private:
  friend class CachedContext;
  struct Slot {
    std::vector<int32_t> pages;
    int64_t length = 0;
  };

  // Pages of its own for the slot's next `count` tokens.
  void extend(int64_t slot, int64_t count);
  int32_t take_page();
  void release(int32_t page);

  int64_t capacity_;
  std::vector<Tensor> memory_;       // each layer's keys, then its values
  std::vector<PagedLayer> layers_;   // the same, as kernels see it
  std::vector<int32_t> references_;  // to each page, by slots
  std::vector<int32_t> free_;        // pages that nobody has
  std::vector<Slot> slots_;
};

// The next `count` tokens of some slots, one piece after the other. The cache grows when the last layer has attended.
class CachedContext : public Context {
 public:
  struct Piece {
    int64_t slot = 0;
    int64_t count = 0;
  };
  // Throws Error when a piece does not fit into its slot.
  CachedContext(KvCache& cache, const std::vector<Piece>& pieces);

  std::span<const int32_t> positions() const override { return positions_; }
  Tensor attend(int64_t layer, const Tensor& qkv, const AttentionSpec& spec) override;

 private:
  // Puts keys and values of rows of qkv, behind `heads` heads of queries, into the pages.
  void store(const PagedLayer& layer, const Tensor& qkv, int64_t heads);

  KvCache& cache_;
  std::vector<int64_t> slots_;
  std::vector<PagedPiece> pieces_;
  std::vector<int32_t> positions_;
};

}  // namespace malssi
