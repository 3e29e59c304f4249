// Attention over whole sequences, in blocks of 64 queries (Dao 2023): forward keeps the
// logarithm of each row's sum, backward computes the probabilities again. A piece of work is one
// key/value head of one sequence, so threads never share a result.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/attention.cc"
#include "hwy/foreach_target.h"  // NOLINT: must come before highway.h
#include "kernels/cpu/block_product-inl.h"

#include <cmath>

#include "base/parallel.h"
#include "kernels/cpu/scratch.h"
#include "kernels/cpu/simd_kernels.h"
#include "kernels/cpu/tiles.h"

HWY_BEFORE_NAMESPACE();
namespace malssi {
namespace HWY_NAMESPACE {

constexpr int64_t kQueries = 64;  // of a block

// One key/value head of one sequence.
template <class T>
struct Work {
  Work(const AttentionProblem& problem, int64_t item) : p(problem) {
    const int64_t sequence = item / p.kv_heads;
    kv = item % p.kv_heads;
    begin = p.starts[sequence];
    length = p.starts[sequence + 1] - begin;
    tokens = p.starts[p.sequences];
    width = (p.heads + 2 * p.kv_heads) * p.head_dim;
    out_width = p.heads * p.head_dim;
    padded_length = round_up(length, 32);
    padded_dim = round_up(p.head_dim, 32);
  }
  // Element offsets of row t in qkv and in out.
  int64_t query(int64_t t, int64_t head) const { return (begin + t) * width + head * p.head_dim; }
  int64_t key(int64_t t) const { return (begin + t) * width + (p.heads + kv) * p.head_dim; }
  int64_t value(int64_t t) const {
    return (begin + t) * width + (p.heads + p.kv_heads + kv) * p.head_dim;
  }
  int64_t out(int64_t t, int64_t head) const { return (begin + t) * out_width + head * p.head_dim; }
  int64_t group() const { return p.heads / p.kv_heads; }
  uint32_t dropout_index(int64_t head, int64_t t) const {
    return static_cast<uint32_t>((head * tokens + begin + t) * 4096);
  }

  // The keys that a block of queries may see, in whole panels.
  int64_t block_begin(int64_t first) const { return p.first_seen(first) / 32 * 32; }
  int64_t block_end(int64_t first, int64_t rows) const {
    return round_up(p.end_seen(first + rows - 1, length), 32);
  }

  const AttentionProblem& p;
  int64_t kv, begin, length, tokens, width, out_width, padded_length, padded_dim;
};

// Copies `rows` rows of src into [padded_rows, padded_dim], zeros around.
template <class T>
void copy_block(const T* src, int64_t stride, int64_t rows, int64_t columns, int64_t padded_rows,
                int64_t padded_columns, T* to) {
  std::memset(static_cast<void*>(to), 0,
              static_cast<size_t>(padded_rows * padded_columns) * sizeof(T));
  for (int64_t r = 0; r < rows; ++r)
    std::memcpy(static_cast<void*>(to + r * padded_columns), src + r * stride,
                static_cast<size_t>(columns) * sizeof(T));
}

// src [rows, columns] -> to [padded_columns, padded_rows], zeros around.
template <class T>
void transpose_block(const T* src, int64_t stride, int64_t rows, int64_t columns,
                     int64_t padded_rows, int64_t padded_columns, T* to) {
  std::memset(static_cast<void*>(to), 0,
              static_cast<size_t>(padded_rows * padded_columns) * sizeof(T));
  for (int64_t c0 = 0; c0 < columns; c0 += 16)
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = c0; c < std::min(c0 + 16, columns); ++c)
        to[c * padded_rows + r] = src[r * stride + c];
}

template <class T>
void write_row(const float* from, float factor, int64_t n, T* to) {
  for_lanes(n, [&](auto d, int64_t i) {
    store(hn::Mul(load(d, from + i), hn::Set(d, factor)), d, to + i);
  });
}

// Scores as products, from `skip` on, become capped and scaled ones.
HWY_INLINE void cap_row(float* scores, int64_t skip, int64_t count, const AttentionProblem& p) {
  for_lanes(count - skip, [&](auto d, int64_t offset) {
    const int64_t i = skip + offset;
    const auto inner = hn::Mul(load(d, scores + i), hn::Set(d, p.scale / p.softcap));
    store(hn::Mul(tanh(d, inner), hn::Set(d, p.softcap)), d, scores + i);
  });
}

// Turns a row of scores, of which those from `skip` on are seen, into unnormalised probabilities (with dropout); returns 1 / their sum, and
// the log of the sum.
template <class T>
float softmax_row(float* scores, int64_t skip, int64_t count, int64_t padded,
                  const AttentionProblem& p, uint32_t dropout_index, T* out, float* lse) {
  if (p.softcap > 0) cap_row(scores, skip, count, p);
  const float factor = p.softcap > 0 ? 1.0f : p.scale;
  float top = scores[skip];
  {
    const Full d;
    const auto L = static_cast<int64_t>(Lanes(d));
    auto tops = hn::Set(d, top);
    int64_t i = skip;
    for (; i + L <= count; i += L) tops = hn::Max(tops, load(d, scores + i));
    top = hn::GetLane(hn::MaxOfLanes(d, tops));
    for (; i < count; ++i) top = std::max(top, scores[i]);
  }
  const uint32_t seed = dropout_seed32(p.dropout.seed),
                 threshold = dropout_threshold(p.dropout.rate);
  const float keep = 1 / (1 - p.dropout.rate);
  const float sum = sum_lanes(count - skip, [&](auto d, int64_t offset) {
    const int64_t i = skip + offset;
    const auto e =
        exp(d, hn::Mul(hn::Sub(load(d, scores + i), hn::Set(d, top)), hn::Set(d, factor)));
    auto kept = e;
    if (threshold != 0)
      kept = hn::Mul(
          e, dropout_factor(d, dropout_index + static_cast<uint32_t>(i), seed, threshold, keep));
    store(kept, d, out + i);
    return e;
  });
  std::memset(static_cast<void*>(out), 0, static_cast<size_t>(skip) * sizeof(T));
  std::memset(static_cast<void*>(out + count), 0, static_cast<size_t>(padded - count) * sizeof(T));
  *lse = top * factor + std::log(sum);
  return 1 / sum;
}

template <class T>
void forward_item(const Work<T>& w, const T* qkv, T* out, float* lse) {
  const AttentionProblem& p = w.p;
  Scratch scratch;
  T* keys = scratch.take<T>(w.padded_length * w.padded_dim);
  T* values = scratch.take<T>(w.padded_length * w.padded_dim);
  T* queries = scratch.take<T>(kQueries * w.padded_dim);
  T* probabilities = scratch.take<T>(kQueries * w.padded_length);
  float* scores = scratch.take<float>(kQueries * w.padded_length);
  float* result = scratch.take<float>(kQueries * w.padded_dim);
  pack_transposed(qkv + w.key(0), w.width, w.length, p.head_dim, w.padded_dim, keys);
  pack_rows(qkv + w.value(0), w.width, w.length, p.head_dim, w.padded_length, values);
  for (int64_t head = w.kv * w.group(); head < (w.kv + 1) * w.group(); ++head) {
    for (int64_t first = 0; first < w.length; first += kQueries) {
      const int64_t rows = std::min(kQueries, w.length - first), padded_rows = round_up(rows, 16);
      const int64_t from = w.block_begin(first), seen = w.block_end(first, rows) - from;
      copy_block(qkv + w.query(first, head), w.width, rows, p.head_dim, padded_rows, w.padded_dim,
                 queries);
      block_product(
          queries, keys + from * w.padded_dim, scores,
          {padded_rows, seen, w.padded_dim, w.padded_dim, w.padded_dim, w.padded_length, false});
      float scale[kQueries];
      for (int64_t r = 0; r < rows; ++r) {
        scale[r] = softmax_row(scores + r * w.padded_length, p.first_seen(first + r) - from,
                               p.end_seen(first + r, w.length) - from, seen, p,
                               w.dropout_index(head, first + r) + static_cast<uint32_t>(from),
                               probabilities + r * w.padded_length,
                               lse + head * w.tokens + w.begin + first + r);
      }
      for (int64_t r = rows; r < padded_rows; ++r)
        std::memset(static_cast<void*>(probabilities + r * w.padded_length), 0,
                    static_cast<size_t>(seen) * sizeof(T));
      block_product(
          probabilities, values + from * kPanel, result,
          {padded_rows, w.padded_dim, seen, w.padded_length, w.padded_length, w.padded_dim, false});
      for (int64_t r = 0; r < rows; ++r)
        write_row(result + r * w.padded_dim, scale[r], p.head_dim, out + w.out(first + r, head));
    }
  }
}

template <class T>
void attention_typed(const AttentionProblem& p, const T* qkv, T* out, float* lse) {
  parallel_each(p.sequences * p.kv_heads, [&](int64_t item) {
    const Tiles tiles(sizeof(T) == 2);
    forward_item(Work<T>(p, item), qkv, out, lse);
  });
}
void attention(const AttentionProblem& p, const void* qkv, void* out, float* lse) {
  if (p.dtype == DType::f32)
    return attention_typed(p, static_cast<const float*>(qkv), static_cast<float*>(out), lse);
  attention_typed(p, static_cast<const bf16*>(qkv), static_cast<bf16*>(out), lse);
}

// Buffers of one backward item.
template <class T>
struct BackwardBuffers {
  BackwardBuffers(Scratch& s, const Work<T>& w) {
    const int64_t area = w.padded_length * w.padded_dim, square = kQueries * w.padded_length,
                  block = kQueries * w.padded_dim;
    keys = s.take<T>(area), keys_by_row = s.take<T>(area), values = s.take<T>(area);
    queries = s.take<T>(block), douts = s.take<T>(block), queries_t = s.take<T>(block),
    douts_t = s.take<T>(block);
    probabilities = s.take<T>(square), dscores = s.take<T>(square), panels = s.take<T>(square);
    scores = s.take<float>(square), dprobabilities = s.take<float>(square),
    dqueries = s.take<float>(block);
    dkeys_t = s.take<float>(area), dvalues_t = s.take<float>(area);
    std::memset(dkeys_t, 0, static_cast<size_t>(area) * sizeof(float));
    std::memset(dvalues_t, 0, static_cast<size_t>(area) * sizeof(float));
  }
  T *keys, *keys_by_row, *values, *queries, *douts, *queries_t, *douts_t, *probabilities, *dscores,
      *panels;
  float *scores, *dprobabilities, *dqueries, *dkeys_t, *dvalues_t;
};

// A row of scores and what a backward pass needs of it; its numbers from `skip` to `count` are seen.
struct BackwardRow {
  int64_t at, skip, count, padded;
  float lse, delta;
  uint32_t dropout_index;
};

// From scores and dprobabilities of one row to probabilities (with dropout) and dscores.
template <class T>
void backward_row(const AttentionProblem& p, const BackwardBuffers<T>& b, const BackwardRow& row) {
  const uint32_t seed = dropout_seed32(p.dropout.seed),
                 threshold = dropout_threshold(p.dropout.rate);
  const float keep = 1 / (1 - p.dropout.rate);
  const int64_t at = row.at;
  for_lanes(row.count - row.skip, [&](auto d, int64_t offset) {
    const int64_t i = row.skip + offset;
    auto score = hn::Mul(load(d, b.scores + at + i), hn::Set(d, p.scale));
    auto slope = hn::Set(d, p.scale);
    if (p.softcap > 0) {
      const auto t = tanh(d, hn::Mul(score, hn::Set(d, 1 / p.softcap)));
      score = hn::Mul(t, hn::Set(d, p.softcap));
      slope = hn::NegMulAdd(hn::Mul(t, t), slope, slope);
    }
    const auto probability = exp(d, hn::Sub(score, hn::Set(d, row.lse)));
    auto kept = probability;
    auto dp = load(d, b.dprobabilities + at + i);
    if (threshold != 0) {
      const auto factor =
          dropout_factor(d, row.dropout_index + static_cast<uint32_t>(i), seed, threshold, keep);
      kept = hn::Mul(kept, factor);
      dp = hn::Mul(dp, factor);
    }
    store(kept, d, b.probabilities + at + i);
    store(hn::Mul(hn::Mul(probability, hn::Sub(dp, hn::Set(d, row.delta))), slope), d,
          b.dscores + at + i);
  });
  for (T* unseen : {b.probabilities, b.dscores}) {
    std::memset(static_cast<void*>(unseen + at), 0, static_cast<size_t>(row.skip) * sizeof(T));
    std::memset(static_cast<void*>(unseen + at + row.count), 0,
                static_cast<size_t>(row.padded - row.count) * sizeof(T));
  }
}

template <class T>
void backward_block(const Work<T>& w, const BackwardBuffers<T>& b, int64_t head, int64_t first,
                    const T* qkv, const T* out, const T* dout, const float* lse, T* dqkv) {
  const AttentionProblem& p = w.p;
  const int64_t rows = std::min(kQueries, w.length - first), padded_rows = round_up(rows, 32);
  const int64_t from = w.block_begin(first), seen = w.block_end(first, rows) - from;
  const int64_t dim = w.padded_dim;
  const T* q = qkv + w.query(first, head);
  const T* g = dout + w.out(first, head);
  copy_block(q, w.width, rows, p.head_dim, padded_rows, dim, b.queries);
  copy_block(g, w.out_width, rows, p.head_dim, padded_rows, dim, b.douts);
  transpose_block(q, w.width, rows, p.head_dim, padded_rows, dim, b.queries_t);
  transpose_block(g, w.out_width, rows, p.head_dim, padded_rows, dim, b.douts_t);
  block_product(b.queries, b.keys + from * dim, b.scores,
                {padded_rows, seen, dim, dim, dim, seen, false});
  block_product(b.douts, b.values + from * dim, b.dprobabilities,
                {padded_rows, seen, dim, dim, dim, seen, false});
  for (int64_t r = 0; r < rows; ++r) {
    const T* o = out + w.out(first + r, head);
    const T* go = g + r * w.out_width;
    const float delta = sum_lanes(
        p.head_dim, [&](auto d, int64_t i) { return hn::Mul(load(d, o + i), load(d, go + i)); });
    backward_row(p, b,
                 {.at = r * seen,
                  .skip = p.first_seen(first + r) - from,
                  .count = p.end_seen(first + r, w.length) - from,
                  .padded = seen,
                  .lse = lse[head * w.tokens + w.begin + first + r],
                  .delta = delta,
                  .dropout_index = w.dropout_index(head, first + r) + static_cast<uint32_t>(from)});
  }
  const auto rest = static_cast<size_t>((padded_rows - rows) * seen) * sizeof(T);
  std::memset(static_cast<void*>(b.probabilities + rows * seen), 0, rest);
  std::memset(static_cast<void*>(b.dscores + rows * seen), 0, rest);
  block_product(b.dscores, b.keys_by_row + from * kPanel, b.dqueries,
                {padded_rows, dim, seen, seen, w.padded_length, dim, false});
  for (int64_t r = 0; r < rows; ++r)
    write_row(b.dqueries + r * dim, 1.0f, p.head_dim, dqkv + w.query(first + r, head));
  pack_rows(b.dscores, seen, padded_rows, seen, padded_rows, b.panels);
  block_product(b.queries_t, b.panels, b.dkeys_t + from,
                {dim, seen, padded_rows, padded_rows, padded_rows, w.padded_length, true});
  pack_rows(b.probabilities, seen, padded_rows, seen, padded_rows, b.panels);
  block_product(b.douts_t, b.panels, b.dvalues_t + from,
                {dim, seen, padded_rows, padded_rows, padded_rows, w.padded_length, true});
}

template <class T>
void backward_item(const Work<T>& w, const T* qkv, const T* out, const T* dout, const float* lse,
                   T* dqkv) {
  const int64_t head_dim = w.p.head_dim;
  Scratch scratch;
  const BackwardBuffers<T> b(scratch, w);
  pack_transposed(qkv + w.key(0), w.width, w.length, head_dim, w.padded_dim, b.keys);
  pack_transposed(qkv + w.value(0), w.width, w.length, head_dim, w.padded_dim, b.values);
  pack_rows(qkv + w.key(0), w.width, w.length, head_dim, w.padded_length, b.keys_by_row);
  for (int64_t head = w.kv * w.group(); head < (w.kv + 1) * w.group(); ++head)
    for (int64_t first = 0; first < w.length; first += kQueries)
      backward_block(w, b, head, first, qkv, out, dout, lse, dqkv);
  for (int64_t t0 = 0; t0 < w.length; t0 += 16) {  // transpose in small squares
    for (int64_t c = 0; c < head_dim; ++c) {
      for (int64_t t = t0; t < std::min(t0 + 16, w.length); ++t) {
        dqkv[w.key(t) + c] = T(b.dkeys_t[c * w.padded_length + t]);
        dqkv[w.value(t) + c] = T(b.dvalues_t[c * w.padded_length + t]);
      }
    }
  }
}

template <class T>
void attention_backward_typed(const AttentionProblem& p, const T* qkv, const T* out, const T* dout,
                              const float* lse, T* dqkv) {
  parallel_each(p.sequences * p.kv_heads, [&](int64_t item) {
    const Tiles tiles(sizeof(T) == 2);
    backward_item(Work<T>(p, item), qkv, out, dout, lse, dqkv);
  });
}
void attention_backward(const AttentionProblem& p, const void* qkv, const void* out,
                        const void* dout, const float* lse, void* dqkv) {
  if (p.dtype == DType::f32) {
    return attention_backward_typed(p, static_cast<const float*>(qkv),
                                    static_cast<const float*>(out), static_cast<const float*>(dout),
                                    lse, static_cast<float*>(dqkv));
  }
  attention_backward_typed(p, static_cast<const bf16*>(qkv), static_cast<const bf16*>(out),
                           static_cast<const bf16*>(dout), lse, static_cast<bf16*>(dqkv));
}

}  // namespace HWY_NAMESPACE
}  // namespace malssi
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace malssi {
HWY_EXPORT(attention);
HWY_EXPORT(attention_backward);
namespace simd {
void attention(const AttentionProblem& problem, const void* qkv, void* out, float* lse) {
  HWY_DYNAMIC_DISPATCH(attention)(problem, qkv, out, lse);
}
void attention_backward(const AttentionProblem& problem, const void* qkv, const void* out,
                        const void* dout, const float* lse, void* dqkv) {
  HWY_DYNAMIC_DISPATCH(attention_backward)(problem, qkv, out, dout, lse, dqkv);
}
}  // namespace simd
}  // namespace malssi
#endif
