// The paged KV cache's memory, as its kernels see it: pages of 64 tokens, each key/value head's numbers laid out as the
// panels that block products read (cpu/native_bf16.h), so that nothing is rearranged when they are used. (Paging: Kwon et
// al. 2023, section 4.)
#pragma once

#include <cstdint>
#include <span>

#include "kernels/dtype.h"

namespace malssi {

constexpr int64_t kPageTokens = 64;

// One layer's keys and values: [pages][kv_heads][64 tokens by head_dim, padded]. A new page must be all zeros.
struct PagedLayer {
  void* keys = nullptr;
  void* values = nullptr;
  DType dtype = DType::f32;  // or bf16
  int64_t kv_heads = 0, head_dim = 0;

  int64_t padded_dim() const { return (head_dim + 31) / 32 * 32; }
  // Elements of one head in one page, and where it begins.
  int64_t head_elements() const { return kPageTokens * padded_dim(); }
  int64_t page_elements() const { return kv_heads * head_elements(); }
  int64_t head_at(int64_t page, int64_t head) const {
    return (page * kv_heads + head) * head_elements();
  }
  // Where, within a head's page, a token's number lies.
  int64_t key_at(int64_t token, int64_t i) const {
    return token / 16 * 16 * padded_dim() + in_panel(i, token % 16);
  }
  int64_t value_at(int64_t token, int64_t i) const {
    return i / 16 * 16 * kPageTokens + in_panel(token, i % 16);
  }

 private:
  int64_t in_panel(int64_t k, int64_t lane) const {
    return dtype == DType::f32 ? k * 16 + lane : (k / 2 * 16 + lane) * 2 + k % 2;
  }
};

// The next `count` tokens of a sequence that has `past` before them; their rows of queries begin at `row`.
struct PagedPiece {
  const int32_t* pages = nullptr;  // of the whole sequence, in order
  int64_t past = 0, count = 0, row = 0;
};

// How queries see the cache: a token sees itself and what came before it, of that the last `window` tokens (itself among
// them) where window > 0; scores are scaled, then softened to softcap tanh(score / softcap) where softcap > 0.
struct PagedQuery {
  int64_t heads = 0;
  int64_t row_width = 0;  // elements from one row of queries to the next
  float scale = 1, softcap = 0;
  int64_t window = 0;
};

}  // namespace malssi
