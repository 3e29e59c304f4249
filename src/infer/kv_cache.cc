#include "infer/kv_cache.h"

#include <cstring>

#include "base/parallel.h"
#include "kernels/table.h"

namespace malssi {

KvCache::KvCache(const ModelConfig& config, int64_t slots, int64_t capacity, DType dtype)
    : kv_heads_(config.kv_heads),
      head_dim_(config.head_dim),
      capacity_(capacity),
      dtype_(dtype),
      lengths_(static_cast<size_t>(slots), 0) {
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    keys_.push_back(Tensor::empty({slots, kv_heads_, capacity, head_dim_}, dtype));
    values_.push_back(Tensor::empty({slots, kv_heads_, capacity, head_dim_}, dtype));
  }
}

void KvCache::truncate(int64_t slot, int64_t length) {
  CHECK(length >= 0 && length <= this->length(slot));
  lengths_[static_cast<size_t>(slot)] = length;
}

char* KvCache::at(const Tensor& layer, int64_t slot) const {
  return layer.as<char>() + slot * kv_heads_ * capacity_ * head_dim_ * dtype_size(dtype_);
}

void KvCache::copy(int64_t from, int64_t to) {
  if (from == to) return;
  const int64_t row = head_dim_ * dtype_size(dtype_), used = length(from) * row,
                stride = capacity_ * row;
  for (size_t layer = 0; layer < keys_.size(); ++layer) {
    for (const Tensor* part : {&keys_[layer], &values_[layer]})
      for (int64_t h = 0; h < kv_heads_; ++h)
        std::memcpy(at(*part, to) + h * stride, at(*part, from) + h * stride,
                    static_cast<size_t>(used));
  }
  lengths_[static_cast<size_t>(to)] = length(from);
}

int64_t KvCache::bytes() const {
  int64_t sum = 0;
  for (const Tensor& t : keys_) sum += 2 * t.bytes();
  return sum;
}

CachedContext::CachedContext(KvCache& cache, std::vector<Piece> pieces)
    : cache_(cache), pieces_(std::move(pieces)) {
  for (const Piece& piece : pieces_) {
    const int64_t past = cache.length(piece.slot);
    REQUIRE(past + piece.count <= cache.capacity(), "context: ", past, " tokens and ", piece.count,
            " more do not fit into the context of ", cache.capacity());
    for (int64_t i = 0; i < piece.count; ++i) positions_.push_back(static_cast<int32_t>(past + i));
  }
}

void CachedContext::store(int64_t layer, const Tensor& qkv, const AttentionSpec& spec) {
  const int64_t dim = cache_.head_dim_, size = dtype_size(cache_.dtype_), width = qkv.dim(1) * size;
  CHECK(qkv.dtype() == cache_.dtype_, "a cache of ", dtype_name(cache_.dtype_), " was given ",
        dtype_name(qkv.dtype()));
  const char* row = qkv.as<char>() + spec.heads.heads * dim * size;
  for (const Piece& piece : pieces_) {
    const int64_t past = cache_.length(piece.slot);
    char* keys = cache_.at(cache_.keys_[static_cast<size_t>(layer)], piece.slot);
    char* values = cache_.at(cache_.values_[static_cast<size_t>(layer)], piece.slot);
    for (int64_t i = 0; i < piece.count; ++i, row += width) {
      for (int64_t h = 0; h < cache_.kv_heads_; ++h) {
        const int64_t to = (h * cache_.capacity_ + past + i) * dim * size;
        std::memcpy(keys + to, row + h * dim * size, static_cast<size_t>(dim * size));
        std::memcpy(values + to, row + (cache_.kv_heads_ + h) * dim * size,
                    static_cast<size_t>(dim * size));
      }
    }
  }
}

void CachedContext::attend_piece(int64_t layer, const Piece& piece, int64_t row, const Tensor& qkv,
                                 const AttentionSpec& spec, const Tensor& out) {
  const int64_t past = cache_.length(piece.slot), width = spec.heads.heads * spec.heads.head_dim;
  if (past == 0 && piece.count > 1) {
    const int32_t starts[] = {0, static_cast<int32_t>(piece.count)};
    out.rows(row, row + piece.count)
        .copy_from(attention(qkv.rows(row, row + piece.count), starts, spec.heads));
    return;
  }
  const CachedHeads heads{.heads = spec.heads.heads,
                          .kv_heads = spec.heads.kv_heads,
                          .head_dim = spec.heads.head_dim,
                          .head_stride = cache_.capacity_ * cache_.head_dim_,
                          .scale = spec.heads.score_scale(),
                          .cache_dtype = cache_.dtype_};
  const char* keys = cache_.at(cache_.keys_[static_cast<size_t>(layer)], piece.slot);
  const char* values = cache_.at(cache_.values_[static_cast<size_t>(layer)], piece.slot);
  const Tensor query = Tensor::empty({piece.count, width}),
               result = Tensor::empty({piece.count, width});
  for (int64_t i = 0; i < piece.count; ++i) {
    const char* from = qkv.as<char>() + (row + i) * qkv.dim(1) * dtype_size(qkv.dtype());
    if (qkv.dtype() == DType::f32) {
      std::memcpy(query.f32() + i * width, from, static_cast<size_t>(width) * sizeof(float));
    } else {
      kernels().bf16_to_f32(reinterpret_cast<const bf16*>(from), query.f32() + i * width, width);
    }
  }
  const auto one = [&](int64_t i) {
    kernels().attention_cached(heads, query.f32() + i * width, keys, values, past + i + 1,
                               result.f32() + i * width);
  };
  parallel_each(piece.count, one);
  out.rows(row, row + piece.count).copy_from(result);
}

Tensor CachedContext::attend(int64_t layer, const Tensor& qkv, const AttentionSpec& spec) {
  const Tensor rotated =
      spec.rope == nullptr
          ? qkv
          : rope_in_place(qkv, positions_, *spec.rope, spec.heads.heads + spec.heads.kv_heads);
  store(layer, rotated, spec);
  const Tensor out =
      Tensor::empty({qkv.dim(0), spec.heads.heads * spec.heads.head_dim}, qkv.dtype());
  int64_t row = 0;
  for (const Piece& piece : pieces_) {
    attend_piece(layer, piece, row, rotated, spec, out);
    row += piece.count;
  }
  if (layer + 1 == static_cast<int64_t>(cache_.keys_.size()))
    for (const Piece& piece : pieces_)
      cache_.lengths_[static_cast<size_t>(piece.slot)] += piece.count;
  return out;
}

}  // namespace malssi
