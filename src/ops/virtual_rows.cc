#include "ops/virtual_rows.h"

#include <cstring>
#include <vector>

#include "kernels/table.h"
#include "tensor/tape.h"

namespace malssi {
namespace {

// `count` numbers of b added into a, both f32 or bf16.
void add(const Tensor& a, int64_t a_at, const Tensor& b, int64_t b_at, int64_t count) {
  kernels().add_into(a.as<char>() + a_at * dtype_size(a.dtype()), a.dtype(),
                     b.as<char>() + b_at * dtype_size(b.dtype()), b.dtype(), count);
}

void copy(const Tensor& to, int64_t to_at, const Tensor& from, int64_t from_at, int64_t count) {
  const int64_t size = dtype_size(to.dtype());
  std::memcpy(to.as<char>() + to_at * size, from.as<char>() + from_at * size,
              static_cast<size_t>(count * size));
}

}  // namespace

Tensor put_rows_in_place(const Tensor& x, const Tensor& table, std::span<const int32_t> rows,
                         std::span<const int32_t> places) {
  const int64_t D = x.dim(1);
  CHECK(table.dim(1) == D && rows.size() == places.size());
  const std::vector<int32_t> to(rows.begin(), rows.end()), from(places.begin(), places.end());
  const Tensor wide = table.to(DType::f32);
  for (size_t i = 0; i < to.size(); ++i) {
    CHECK(to[i] >= 0 && to[i] < x.dim(0) && from[i] >= 0 && from[i] < table.dim(0));
    copy(x, to[i] * D, wide, from[i] * D, D);
  }
  Tensor y = x;
  y.set_slot(nullptr);
  if (!recording({x, table})) return y;
  record("put_rows", {x, table}, y, [to, from, D](const Tensor& dy, Grads& grads) {
    if (const auto [sum, beta] = grads.into(1); sum) {
      if (beta == 0) sum.fill(0);
      for (size_t i = 0; i < to.size(); ++i) add(sum, from[i] * D, dy, to[i] * D, D);
    }
    for (const int32_t row : to) std::fill_n(dy.f32() + row * D, D, 0.0f);
    grads.give(0, dy);
  });
  return y;
}

Tensor with_prefix(const Tensor& qkv, const Tensor& prefix, int64_t layer,
                   std::span<const int32_t> starts, const AttentionHeads& heads) {
  const int64_t width = qkv.dim(1), q_width = heads.heads * heads.head_dim,
                kv_width = 2 * heads.kv_heads * heads.head_dim, V = prefix.dim(0),
                P = prefix.dim(1), sequences = static_cast<int64_t>(starts.size()) - 1;
  CHECK(width == q_width + kv_width && (layer + 1) * kv_width <= P, "a prefix of ", prefix.shape(),
        " for layer ", layer, " of ", qkv.shape());
  const std::vector<int32_t> at(starts.begin(), starts.end());
  const auto each_sequence = [at, V, sequences](auto&& f) {
    for (int64_t s = 0; s < sequences; ++s) {
      const int64_t begin = at[static_cast<size_t>(s)], end = at[static_cast<size_t>(s + 1)];
      f(begin + s * V, begin,
        end - begin);  // its first row with the prefix and without, its length
    }
  };
  const Tensor own = prefix.to(qkv.dtype());
  Tensor y = Tensor::zeros({qkv.dim(0) + V * sequences, width}, qkv.dtype());
  each_sequence([&](int64_t to, int64_t from, int64_t length) {
    for (int64_t v = 0; v < V; ++v)
      copy(y, (to + v) * width + q_width, own, v * P + layer * kv_width, kv_width);
    copy(y, (to + V) * width, qkv, from * width, length * width);
  });
  if (!recording({qkv, prefix})) return y;
  record("with_prefix", {qkv, prefix}, y, [=](const Tensor& dy, Grads& grads) {
    if (const auto [sum, beta] = grads.into(1); sum) {
      if (beta == 0) sum.fill(0);
      each_sequence([&, &sum = sum](int64_t to, int64_t, int64_t) {
        for (int64_t v = 0; v < V; ++v)
          add(sum, v * P + layer * kv_width, dy, (to + v) * width + q_width, kv_width);
      });
    }
    if (!grads.wants(0)) return;
    const Tensor dx = Tensor::empty({dy.dim(0) - V * sequences, width}, dy.dtype());
    each_sequence([&](int64_t to, int64_t from, int64_t length) {
      copy(dx, from * width, dy, (to + V) * width, length * width);
    });
    grads.give(0, dx);
  });
  return y;
}

}  // namespace malssi
