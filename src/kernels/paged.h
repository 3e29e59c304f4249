// The paged KV cache's memory, as its kernels see it: pages of 64 tokens, each key/value head's numbers laid out as the
// panels that block products read (cpu/native_bf16.h), so that little is done when they are used. (Paging: Kwon et al.
// 2023, section 4.) f32 and bf16 are read as they lie; f16 lies as f32 does and is widened. q8_0 lies as either, a byte a number,
// and behind a head's page its scales: a half float for 32 numbers of a token. Its keys are rotated before (rotate()), so
// that a few large numbers do not make all others coarse, and so must be the queries that meet them: their products stay
// what they were (Ashkboos et al. 2024, QuaRot, section 4).
#pragma once

#include <cstdint>
#include <span>

#include "kernels/dtype.h"

namespace malssi {

constexpr int64_t kPageTokens = 64;
// What keys and values may be kept in.
constexpr DType kCacheDtypes[] = {DType::f32, DType::bf16, DType::f16, DType::q8_0};

// One layer's keys and values: [pages][kv_heads][64 tokens by head_dim, padded]. A new page must be all zeros.
struct PagedLayer {
  static constexpr int64_t kBlock = 32;  // numbers of a token that share a scale

  void* keys = nullptr;
  void* values = nullptr;
  DType dtype = DType::f32;
  int64_t kv_heads = 0, head_dim = 0;
  DType compute = DType::f32;  // what q8_0 is unpacked to for products: f32 or bf16

  int64_t padded_dim() const { return (head_dim + kBlock - 1) / kBlock * kBlock; }
  // Elements and bytes of one head in one page.
  int64_t head_elements() const { return kPageTokens * padded_dim(); }
  int64_t head_bytes() const { return dtype_bytes(dtype, head_elements()); }
  int64_t page_bytes() const { return kv_heads * head_bytes(); }
  char* head_keys(int64_t page, int64_t head) const { return at(keys, page, head); }
  char* head_values(int64_t page, int64_t head) const { return at(values, page, head); }
  // Where, within a head's page, a token's number lies, and in q8_0 its scale among the scales.
  int64_t key_at(int64_t token, int64_t i) const {
    return token / 16 * 16 * padded_dim() + in_panel(i, token % 16);
  }
  int64_t value_at(int64_t token, int64_t i) const {
    return i / 16 * 16 * kPageTokens + in_panel(token, i % 16);
  }
  static int64_t scale_at(int64_t token, int64_t i) { return i / kBlock * kPageTokens + token; }
  uint16_t* scales(char* head) const { return reinterpret_cast<uint16_t*>(head + head_elements()); }

  bool in_bf16() const {
    return dtype == DType::bf16 || (dtype == DType::q8_0 && compute == DType::bf16);
  }
  bool rotates() const { return dtype == DType::q8_0; }

  // Writes a token's key and value [head_dim], and reads a number back as it is kept.
  void put(int64_t page, int64_t head, int64_t token, const float* key, const float* value) const;
  float key(int64_t page, int64_t head, int64_t token, int64_t i) const;
  float value(int64_t page, int64_t head, int64_t token, int64_t i) const;

 private:
  char* at(void* memory, int64_t page, int64_t head) const {
    return static_cast<char*>(memory) + (page * kv_heads + head) * head_bytes();
  }
  int64_t in_panel(int64_t k, int64_t lane) const {
    return in_bf16() ? (k / 2 * 16 + lane) * 2 + k % 2 : k * 16 + lane;
  }
};

// Each 32 numbers of x [n], n a multiple of 32, become their Walsh-Hadamard transform, which is orthonormal and its own
// inverse.
void rotate(float* x, int64_t n);

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
