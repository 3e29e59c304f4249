#include "infer/kv_cache.h"

#include <algorithm>
#include <cstring>

#include "base/parallel.h"
#include "kernels/table.h"

namespace malssi {
namespace {

int64_t pages_for(int64_t tokens) { return (tokens + kPageTokens - 1) / kPageTokens; }

}  // namespace

KvCache::KvCache(const ModelConfig& config, int64_t slots, int64_t capacity, DType dtype,
                 DType compute)
    : capacity_(capacity), slots_(static_cast<size_t>(slots)) {
  CHECK(std::ranges::find(kCacheDtypes, dtype) != std::end(kCacheDtypes), "a cache of ",
        dtype_name(dtype));
  const int64_t pages = slots * pages_for(capacity);
  references_.assign(static_cast<size_t>(pages), 0);
  for (int64_t page = pages; page-- > 0;) free_.push_back(static_cast<int32_t>(page));
  for (int64_t i = 0; i < config.layers; ++i) {
    PagedLayer layer{.dtype = dtype,
                     .kv_heads = config.kv_heads,
                     .head_dim = config.head_dim,
                     .compute = compute};
    const Tensor keys = Tensor::empty({pages, layer.page_bytes()}, DType::u8);
    const Tensor values = Tensor::empty({pages, layer.page_bytes()}, DType::u8);
    layer.keys = keys.data();
    layer.values = values.data();
    memory_.push_back(keys);
    memory_.push_back(values);
    layers_.push_back(layer);
  }
}

int64_t KvCache::bytes() const {
  const auto used = static_cast<int64_t>(references_.size() - free_.size());
  return used * layers_.front().page_bytes() * static_cast<int64_t>(memory_.size());
}

int32_t KvCache::take_page() {
  CHECK(!free_.empty(), "all ", references_.size(), " pages are in use");
  const int32_t page = free_.back();
  free_.pop_back();
  references_[static_cast<size_t>(page)] = 1;
  return page;
}

void KvCache::release(int32_t page) {
  if (--references_[static_cast<size_t>(page)] == 0) free_.push_back(page);
}

void KvCache::truncate(int64_t slot, int64_t length) {
  CHECK(length >= 0 && length <= this->length(slot));
  Slot& s = slots_[static_cast<size_t>(slot)];
  for (; static_cast<int64_t>(s.pages.size()) > pages_for(length); s.pages.pop_back())
    release(s.pages.back());
  s.length = length;
}

void KvCache::copy(int64_t from, int64_t to) {
  if (from == to) return;
  truncate(to, 0);
  slots_[static_cast<size_t>(to)] = slots_[static_cast<size_t>(from)];
  for (const int32_t page : slots_[static_cast<size_t>(to)].pages)
    ++references_[static_cast<size_t>(page)];
}

void KvCache::extend(int64_t slot, int64_t count) {
  Slot& s = slots_[static_cast<size_t>(slot)];
  const auto bytes = layers_.front().page_bytes();
  const auto at = [&](const Tensor& memory, int32_t page) {
    return memory.as<char>() + page * bytes;
  };
  const bool goes_on = s.length % kPageTokens != 0 && count > 0;
  if (goes_on && references_[static_cast<size_t>(s.pages.back())] > 1) {
    const int32_t shared = s.pages.back(), own = take_page();
    for (const Tensor& memory : memory_)
      std::memcpy(at(memory, own), at(memory, shared), static_cast<size_t>(bytes));
    release(shared);
    s.pages.back() = own;
  }
  while (static_cast<int64_t>(s.pages.size()) < pages_for(s.length + count)) {
    const int32_t page = take_page();
    for (const Tensor& memory : memory_)
      std::memset(at(memory, page), 0, static_cast<size_t>(bytes));
    s.pages.push_back(page);
  }
}

void KvCache::put_prefix(int64_t slot, const Tensor& prefix) {
  const int64_t V = prefix.dim(0), heads = layers_.front().kv_heads, dim = layers_.front().head_dim;
  CHECK(length(slot) == 0 && V <= capacity_ &&
        prefix.dim(1) == static_cast<int64_t>(layers_.size()) * 2 * heads * dim);
  extend(slot, V);
  Slot& s = slots_[static_cast<size_t>(slot)];
  for (int64_t v = 0; v < V; ++v) {
    const float* at = prefix.f32() + v * prefix.dim(1);
    for (const PagedLayer& layer : layers_) {
      for (int64_t head = 0; head < heads; ++head)
        layer.put(s.pages[static_cast<size_t>(v / kPageTokens)], head, v % kPageTokens,
                  at + head * dim, at + (heads + head) * dim);
      at += 2 * heads * dim;
    }
  }
  s.length = V;
}

CachedContext::CachedContext(KvCache& cache, const std::vector<Piece>& pieces) : cache_(cache) {
  int64_t row = 0;
  for (const Piece& piece : pieces) {
    const int64_t past = cache.length(piece.slot);
    REQUIRE(past + piece.count <= cache.capacity(), "context: ", past, " tokens and ", piece.count,
            " more do not fit into the context of ", cache.capacity());
    cache.extend(piece.slot, piece.count);
    slots_.push_back(piece.slot);
    pieces_.push_back({.past = past, .count = piece.count, .row = row});
    row += piece.count;
    for (int64_t i = 0; i < piece.count; ++i) positions_.push_back(static_cast<int32_t>(past + i));
  }
  for (size_t i = 0; i < pieces_.size(); ++i)
    pieces_[i].pages = cache.slots_[static_cast<size_t>(slots_[i])].pages.data();
}

void CachedContext::store(const PagedLayer& layer, const Tensor& qkv, int64_t heads) {
  const int64_t dim = layer.head_dim, kv_width = layer.kv_heads * dim, row_width = qkv.dim(1);
  const bool is_wide = qkv.dtype() == DType::f32;
  const auto put = [&](const PagedPiece& piece, int64_t i, float* room) {
    const int64_t begin = (piece.row + i) * row_width + heads * dim;
    const float* keys = room;
    if (is_wide)
      keys = qkv.f32() + begin;
    else
      kernels().bf16_to_f32(qkv.bf16s() + begin, room, 2 * kv_width);
    const int64_t position = piece.past + i;
    for (int64_t kv = 0; kv < layer.kv_heads; ++kv)
      layer.put(piece.pages[position / kPageTokens], kv, position % kPageTokens, keys + kv * dim,
                keys + kv_width + kv * dim);
  };
  parallel_for(qkv.dim(0), std::max<int64_t>(1, 4096 / kv_width), [&](int64_t begin, int64_t end) {
    std::vector<float> room(static_cast<size_t>(is_wide ? 0 : 2 * kv_width));
    for (const PagedPiece& piece : pieces_) {
      const int64_t last = std::min(end - piece.row, piece.count);
      for (int64_t i = std::max<int64_t>(0, begin - piece.row); i < last; ++i)
        put(piece, i, room.data());
    }
  });
}

Tensor CachedContext::attend(int64_t layer_index, const Tensor& qkv, const AttentionSpec& spec) {
  REQUIRE(spec.mask == AttentionMask::causal,
          "this model is an encoder, whose tokens see what follows them: it embeds texts (malssi "
          "embed) "
          "and does not write any");
  const Tensor rotated =
      spec.rope == nullptr
          ? qkv
          : rope_in_place(qkv, positions_, *spec.rope, spec.heads.heads + spec.heads.kv_heads);
  const PagedLayer& layer = cache_.layers_[static_cast<size_t>(layer_index)];
  const int64_t heads = spec.heads.heads, width = qkv.dim(1);
  store(layer, rotated, heads);
  const Tensor out = Tensor::empty({qkv.dim(0), heads * spec.heads.head_dim}, qkv.dtype());
  const PagedQuery query{.heads = heads,
                         .row_width = width,
                         .scale = spec.heads.score_scale(),
                         .softcap = spec.softcap,
                         .window = spec.window};
  kernels().attention_paged(layer, query, pieces_, {rotated.data(), rotated.dtype()},
                            {out.data(), out.dtype()});
  if (layer_index + 1 == static_cast<int64_t>(cache_.layers_.size()))
    for (size_t i = 0; i < pieces_.size(); ++i)
      cache_.slots_[static_cast<size_t>(slots_[i])].length += pieces_[i].count;
  return out;
}

}  // namespace malssi
