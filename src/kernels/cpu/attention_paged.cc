// Attention of new tokens over a paged cache: blocks of queries that share a key/value head go through its pages, with
// running maxima and sums (Dao 2023). A page is a page whatever the batch, so a token's result does not depend on what is
// computed beside it.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/attention_paged.cc"
#include "hwy/foreach_target.h"  // NOLINT: must come before highway.h
#include "kernels/cpu/paged_panels-inl.h"

#include <cmath>
#include <vector>

#include "base/parallel.h"
#include "kernels/cpu/scratch.h"
#include "kernels/cpu/simd_kernels.h"
#include "kernels/cpu/tiles.h"
#include "kernels/cpu/typed.h"

HWY_BEFORE_NAMESPACE();
namespace malssi {
namespace HWY_NAMESPACE {

constexpr int64_t kBlockRows = 32;  // queries that go through the pages together

struct RowState {
  float top = -INFINITY;
  float sum = 0;
};

// Scores of a page's 64 tokens become unnormalised probabilities relative to the highest score so far. Returns what earlier
// results must be multiplied with. Tokens before `begin` or from `end` on are not seen.
template <class T>
float soften(float* scores, int64_t begin, int64_t end, const PagedQuery& query, RowState& row,
             T* out) {
  const Full d;
  const auto L = static_cast<int64_t>(Lanes(d));
  const bool is_cut = begin > 0 || end < kPageTokens;
  const auto scale = hn::Set(d, query.scale);
  auto tops = hn::Set(d, row.top);
  for (int64_t i = 0; i < kPageTokens; i += L) {
    auto s = hn::Mul(load(d, scores + i), scale);
    if (query.softcap > 0)
      s = hn::Mul(hn::Set(d, query.softcap), tanh(d, hn::Mul(s, hn::Set(d, 1 / query.softcap))));
    if (is_cut) {
      const auto token = hn::Iota(d, static_cast<float>(i));
      const auto seen = hn::And(hn::Ge(token, hn::Set(d, static_cast<float>(begin))),
                                hn::Lt(token, hn::Set(d, static_cast<float>(end))));
      s = hn::IfThenElse(seen, s, hn::Set(d, -INFINITY));
    }
    store(s, d, scores + i);
    tops = hn::Max(tops, s);
  }
  const float top = hn::GetLane(hn::MaxOfLanes(d, tops));
  if (top == -INFINITY) {
    std::memset(static_cast<void*>(out), 0, kPageTokens * sizeof(T));
    return 1;
  }
  auto sums = hn::Zero(d);
  for (int64_t i = 0; i < kPageTokens; i += L) {
    const auto e = exp(d, hn::Sub(load(d, scores + i), hn::Set(d, top)));
    store(e, d, out + i);
    sums = hn::Add(sums, e);
  }
  const float earlier = row.sum == 0 ? 0 : std::exp(row.top - top);
  row.sum = row.sum * earlier + hn::GetLane(hn::SumOfLanes(d, sums));
  row.top = top;
  return earlier;
}

// Rows first .. last - 1 of one key/value head of one piece; row r is head r % group of token r / group.
struct Block {
  const PagedPiece* piece;
  int64_t kv, first, last;
};

// One head's query; room [padded_dim].
template <class T, class Q>
void take_query(const PagedLayer& layer, const Q* from, float* room, T* to) {
  const int64_t dim = layer.head_dim, padded = layer.padded_dim();
  if (!layer.rotates())
    return for_lanes(dim, [&](auto d, int64_t c) { store(load(d, from + c), d, to + c); });
  for_lanes(dim, [&](auto d, int64_t c) { store(load(d, from + c), d, room + c); });
  std::fill(room + dim, room + padded, 0.0f);
  rotate(room, padded);
  for_lanes(padded, [&](auto d, int64_t c) { store(load(d, room + c), d, to + c); });
}

// Of a page in which so many tokens are: whole panels.
int64_t to_read(int64_t tokens) {
  return round_up(std::min(kPageTokens, tokens), cpu_features().amx_bf16 ? 32 : 16);
}

template <class T, class Q>
void attend_block(const PagedLayer& layer, const PagedQuery& query, const Block& block, const Q* q,
                  Q* out) {
  const PagedPiece& piece = *block.piece;
  const int64_t dim = layer.head_dim, padded = layer.padded_dim(),
                group = query.heads / layer.kv_heads;
  const int64_t rows = block.last - block.first;
  const int64_t padded_rows = cpu_features().amx_bf16 ? round_up(rows, 16) : rows;
  Scratch scratch;
  T* const queries = scratch.take<T>(padded_rows * padded);
  T* const weights = scratch.take<T>(padded_rows * kPageTokens);
  float* const scores = scratch.take<float>(padded_rows * kPageTokens);
  float* const result = scratch.take<float>(padded_rows * padded);
  T* const panels = scratch.take<T>(layer.head_elements());
  float* const room = scratch.take<float>(padded);
  RowState states[kBlockRows];
  std::memset(static_cast<void*>(queries), 0,
              static_cast<size_t>(padded_rows * padded) * sizeof(T));
  std::memset(static_cast<void*>(weights), 0,
              static_cast<size_t>(padded_rows * kPageTokens) * sizeof(T));
  std::memset(result, 0, static_cast<size_t>(padded_rows * padded) * sizeof(float));
  const auto head_of = [&](int64_t r) { return block.kv * group + r % group; };
  const auto row_of = [&](int64_t r) { return piece.row + r / group; };
  for (int64_t i = 0; i < rows; ++i) {
    const int64_t r = block.first + i;
    take_query(layer, q + row_of(r) * query.row_width + head_of(r) * dim, room,
               queries + i * padded);
  }
  const int64_t first_position = piece.past + block.first / group;
  const int64_t last_position = piece.past + (block.last - 1) / group;
  const int64_t seen_from =
      query.window > 0 ? std::max<int64_t>(0, first_position - query.window + 1) : 0;
  for (int64_t page = seen_from / kPageTokens; page <= last_position / kPageTokens; ++page) {
    const int64_t begin = page * kPageTokens;
    const int64_t filled = to_read(last_position + 1 - begin);
    block_product(queries, key_panels(layer, piece.pages[page], block.kv, panels), scores,
                  {padded_rows, filled, padded, padded, padded, kPageTokens, false});
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t position = piece.past + (block.first + i) / group;
      const int64_t from = query.window > 0 ? position - query.window + 1 : 0;
      const float earlier = soften(scores + i * kPageTokens, from - begin, position + 1 - begin,
                                   query, states[i], weights + i * kPageTokens);
      if (earlier == 1) continue;
      float* const row = result + i * padded;
      for_lanes(padded, [&](auto d, int64_t c) {
        store(hn::Mul(load(d, row + c), hn::Set(d, earlier)), d, row + c);
      });
    }
    block_product(weights, value_panels(layer, piece.pages[page], block.kv, panels), result,
                  {padded_rows, padded, filled, kPageTokens, kPageTokens, padded, true});
  }
  for (int64_t i = 0; i < rows; ++i) {
    const int64_t r = block.first + i;
    Q* const to = out + (row_of(r) * query.heads + head_of(r)) * dim;
    for_lanes(dim, [&](auto d, int64_t c) {
      store(hn::Mul(load(d, result + i * padded + c), hn::Set(d, 1 / states[i].sum)), d, to + c);
    });
  }
}

template <class T, class Q>
void attend_typed(const PagedLayer& layer, const PagedQuery& query,
                  std::span<const PagedPiece> pieces, const Q* q, Q* out) {
  const int64_t group = query.heads / layer.kv_heads;
  std::vector<Block> blocks;
  int64_t work = 0;
  for (const PagedPiece& piece : pieces)
    for (int64_t first = 0; first < piece.count * group; first += kBlockRows)
      for (int64_t kv = 0; kv < layer.kv_heads; ++kv) {
        const int64_t last = std::min(first + kBlockRows, piece.count * group);
        blocks.push_back({&piece, kv, first, last});
        work += (piece.past + piece.count) * (last - first) * layer.head_dim;
      }
  const auto one = [&](int64_t i) {
    const Tiles tiles(std::is_same_v<T, bf16>);
    attend_block<T>(layer, query, blocks[static_cast<size_t>(i)], q, out);
  };
  constexpr int64_t kWorthSharing =
      1 << 17;  // products; below, waiting for a second thread costs more
  const auto n = static_cast<int64_t>(blocks.size());
  if (work < kWorthSharing)
    for (int64_t i = 0; i < n; ++i) one(i);
  else
    parallel_each(n, one);
}

void attention_paged(const PagedLayer& layer, const PagedQuery& query,
                     std::span<const PagedPiece> pieces, ConstBuffer q, Buffer out) {
  with_type(q, [&](auto* queries) {
    auto* const to =
        static_cast<std::remove_const_t<std::remove_pointer_t<decltype(queries)>>*>(out.data);
    if (layer.in_bf16())
      attend_typed<bf16>(layer, query, pieces, queries, to);
    else
      attend_typed<float>(layer, query, pieces, queries, to);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace malssi
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace malssi {
HWY_EXPORT(attention_paged);
namespace simd {
void attention_paged(const PagedLayer& layer, const PagedQuery& query,
                     std::span<const PagedPiece> pieces, ConstBuffer q, Buffer out) {
  HWY_DYNAMIC_DISPATCH(attention_paged)(layer, query, pieces, q, out);
}
}  // namespace simd
}  // namespace malssi
#endif
