// Reference attention: the whole square of probabilities, in double.
#include <cmath>
#include <vector>

#include "kernels/scalar/access.h"

namespace malssi::scalar {
namespace {

// Where the rows of one head of one sequence lie.
struct HeadView {
  int64_t begin, length;   // tokens of the sequence
  int64_t width;           // of a row of qkv
  int64_t q, k, v;         // columns where the head's query, key and value begin
  int64_t out_width, out;  // of a row of out, and the head's column there
};

template <class Body>
void for_each_head(const AttentionProblem& p, Body&& body) {
  for (int64_t s = 0; s < p.sequences; ++s) {
    for (int64_t h = 0; h < p.heads; ++h) {
      const int64_t kv = h / (p.heads / p.kv_heads);
      body(h, HeadView{p.starts[s], p.starts[s + 1] - p.starts[s],
                       (p.heads + 2 * p.kv_heads) * p.head_dim, h * p.head_dim,
                       (p.heads + kv) * p.head_dim, (p.heads + p.kv_heads + kv) * p.head_dim,
                       p.heads * p.head_dim, h * p.head_dim});
    }
  }
}

double row_dot(ConstBuffer a, int64_t i, ConstBuffer b, int64_t j, int64_t n) {
  double sum = 0;
  for (int64_t d = 0; d < n; ++d) sum += static_cast<double>(read(a, i + d)) * read(b, j + d);
  return sum;
}

// A score, capped where the problem caps; slope: its derivative by the product of query and key.
double score_of(const AttentionProblem& p, double product, double* slope = nullptr) {
  const double scaled = p.scale * product;
  const double t = p.softcap > 0 ? std::tanh(scaled / p.softcap) : 0;
  if (slope != nullptr) *slope = p.scale * (1 - t * t);
  return p.softcap > 0 ? p.softcap * t : scaled;
}

// Counts the probabilities of all heads, so that dropout's mask is the same in every
// implementation.
int64_t probability_index(const AttentionProblem& p, int64_t head, int64_t token, int64_t other) {
  const int64_t tokens = p.starts[p.sequences];
  return (head * tokens + token) * 4096 + other;
}

}  // namespace

void attention(const AttentionProblem& p, const void* qkv_data, void* out_data, float* lse) {
  const ConstBuffer qkv{qkv_data, p.dtype};
  const Buffer out{out_data, p.dtype};
  const int64_t tokens = p.starts[p.sequences];
  for_each_head(p, [&](int64_t h, const HeadView& view) {
    std::vector<double> score(static_cast<size_t>(view.length));
    for (int64_t i = 0; i < view.length; ++i) {
      const int64_t query = (view.begin + i) * view.width + view.q;
      const int64_t first = p.first_seen(i), end = p.end_seen(i, view.length);
      double sum = 0, top = -INFINITY;
      for (int64_t j = first; j < end; ++j) {
        score[static_cast<size_t>(j)] = score_of(
            p, row_dot(qkv, query, qkv, (view.begin + j) * view.width + view.k, p.head_dim));
        top = std::max(top, score[static_cast<size_t>(j)]);
      }
      for (int64_t j = first; j < end; ++j) sum += std::exp(score[static_cast<size_t>(j)] - top);
      lse[h * tokens + view.begin + i] = static_cast<float>(top + std::log(sum));
      for (int64_t d = 0; d < p.head_dim; ++d) {
        double value = 0;
        for (int64_t j = first; j < end; ++j) {
          const auto probability =
              static_cast<float>(std::exp(score[static_cast<size_t>(j)] - top) / sum);
          value += dropped(probability, probability_index(p, h, view.begin + i, j), p.dropout) *
                   read(qkv, (view.begin + j) * view.width + view.v + d);
        }
        write(out, (view.begin + i) * view.out_width + view.out + d, static_cast<float>(value));
      }
    }
  });
}

void attention_backward(const AttentionProblem& p, const void* qkv_data, const void* out_data,
                        const void* dout_data, const float* lse, void* dqkv_data) {
  const ConstBuffer qkv{qkv_data, p.dtype}, out{out_data, p.dtype}, dout{dout_data, p.dtype};
  const int64_t tokens = p.starts[p.sequences];
  std::vector<double> dqkv(static_cast<size_t>(tokens * (p.heads + 2 * p.kv_heads) * p.head_dim),
                           0.0);
  for_each_head(p, [&](int64_t h, const HeadView& view) {
    for (int64_t i = 0; i < view.length; ++i) {
      const int64_t query = (view.begin + i) * view.width + view.q;
      const int64_t result = (view.begin + i) * view.out_width + view.out;
      const double delta = row_dot(dout, result, out, result, p.head_dim);
      for (int64_t j = p.first_seen(i); j < p.end_seen(i, view.length); ++j) {
        const int64_t key = (view.begin + j) * view.width + view.k,
                      value = (view.begin + j) * view.width + view.v;
        double slope = 0;
        const double score = score_of(p, row_dot(qkv, query, qkv, key, p.head_dim), &slope);
        const double probability = std::exp(score - lse[h * tokens + view.begin + i]);
        const double factor = dropped(1.0f, probability_index(p, h, view.begin + i, j), p.dropout);
        const double dscore =
            probability * (factor * row_dot(dout, result, qkv, value, p.head_dim) - delta) * slope;
        for (int64_t d = 0; d < p.head_dim; ++d) {
          dqkv[static_cast<size_t>(query + d)] += dscore * read(qkv, key + d);
          dqkv[static_cast<size_t>(key + d)] += dscore * read(qkv, query + d);
          dqkv[static_cast<size_t>(value + d)] += probability * factor * read(dout, result + d);
        }
      }
    }
  });
  for (size_t i = 0; i < dqkv.size(); ++i)
    write({dqkv_data, p.dtype}, static_cast<int64_t>(i), static_cast<float>(dqkv[i]));
}

namespace {

// One query over its sequence, up to and including `position`.
void attend_one(const PagedLayer& layer, const PagedQuery& query, const PagedPiece& piece,
                int64_t head, int64_t position, ConstBuffer q, int64_t q_at, Buffer out,
                int64_t out_at) {
  const int64_t kv = head / (query.heads / layer.kv_heads);
  const int64_t first = query.window > 0 ? std::max<int64_t>(0, position - query.window + 1) : 0;
  const auto page = [&](int64_t token) { return piece.pages[token / kPageTokens]; };
  std::vector<float> asked(static_cast<size_t>(layer.padded_dim()));
  for (int64_t i = 0; i < layer.head_dim; ++i) asked[static_cast<size_t>(i)] = read(q, q_at + i);
  if (layer.rotates()) rotate(asked.data(), layer.padded_dim());
  std::vector<double> score;
  double top = -INFINITY, sum = 0;
  for (int64_t t = first; t <= position; ++t) {
    double dot = 0;
    for (int64_t i = 0; i < layer.padded_dim(); ++i)
      dot += static_cast<double>(asked[static_cast<size_t>(i)]) *
             layer.key(page(t), kv, t % kPageTokens, i);
    dot *= query.scale;
    if (query.softcap > 0) dot = query.softcap * std::tanh(dot / query.softcap);
    score.push_back(dot);
    top = std::max(top, dot);
  }
  for (double& s : score) sum += s = std::exp(s - top);
  for (int64_t i = 0; i < layer.head_dim; ++i) {
    double value = 0;
    for (int64_t t = first; t <= position; ++t)
      value += score[static_cast<size_t>(t - first)] / sum *
               layer.value(page(t), kv, t % kPageTokens, i);
    write(out, out_at + i, static_cast<float>(value));
  }
}

}  // namespace

void attention_paged(const PagedLayer& layer, const PagedQuery& query,
                     std::span<const PagedPiece> pieces, ConstBuffer q, Buffer out) {
  const int64_t dim = layer.head_dim;
  for (const PagedPiece& piece : pieces)
    for (int64_t i = 0; i < piece.count; ++i)
      for (int64_t head = 0; head < query.heads; ++head)
        attend_one(layer, query, piece, head, piece.past + i, q,
                   (piece.row + i) * query.row_width + head * dim, out,
                   ((piece.row + i) * query.heads + head) * dim);
}

}  // namespace malssi::scalar
