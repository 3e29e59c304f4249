#include "ops/sequence_rows.h"

#include <cmath>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "tensor/tape.h"

namespace malssi {
namespace {

// The number of sequences.
int64_t check_starts(std::string_view op, const Tensor& h, std::span<const int32_t> starts) {
  REQUIRE(starts.size() >= 2 && starts[0] == 0 && starts.back() == h.dim(0), op, ": ",
          starts.size(), " sequence begins do not fit ", h.dim(0), " tokens");
  for (size_t s = 1; s < starts.size(); ++s)
    REQUIRE(starts[s] > starts[s - 1], op, ": sequence ", s - 1, " is empty");
  return static_cast<int64_t>(starts.size()) - 1;
}

}  // namespace

Tensor sequence_rows(const Tensor& h, std::span<const int32_t> starts, SequencePlace place) {
  const int64_t D = h.dim(1), S = check_starts("sequence_rows", h, starts);
  std::vector<int64_t> tokens;
  for (size_t s = 1; s < starts.size(); ++s)
    tokens.push_back(place == SequencePlace::first ? starts[s - 1] : starts[s] - 1);
  Tensor rows = Tensor::empty({S, D});
  for (int64_t s = 0; s < S; ++s) {
    const int64_t token = tokens[static_cast<size_t>(s)];
    rows.rows(s, s + 1).copy_from(h.rows(token, token + 1));
  }
  record("sequence_rows", {h}, rows,
         [shape = h.shape(), dtype = h.dtype(), tokens](const Tensor& dy, Grads& grads) {
           const Tensor dh = Tensor::zeros(shape);
           for (size_t s = 0; s < tokens.size(); ++s)
             std::copy_n(dy.f32() + static_cast<int64_t>(s) * shape[1], shape[1],
                         dh.f32() + tokens[s] * shape[1]);
           grads.give(0, dh.to(dtype));
         });
  return rows;
}

Tensor sequence_means(const Tensor& h, std::span<const int32_t> starts) {
  const int64_t D = h.dim(1), S = check_starts("sequence_means", h, starts);
  const Tensor x = h.to(DType::f32);
  Tensor means = Tensor::zeros({S, D});
  std::vector<int64_t> sequence_of(static_cast<size_t>(h.dim(0)));
  std::vector<float> parts(sequence_of.size());  // of each token in its sequence's mean
  for (int64_t s = 0; s < S; ++s) {
    const int64_t begin = starts[static_cast<size_t>(s)], end = starts[static_cast<size_t>(s) + 1];
    for (int64_t token = begin; token < end; ++token) {
      sequence_of[static_cast<size_t>(token)] = s;
      parts[static_cast<size_t>(token)] = 1.f / static_cast<float>(end - begin);
    }
  }
  for (int64_t i = 0; i < x.size(); ++i) {
    const auto token = static_cast<size_t>(i / D);
    means.f32()[sequence_of[token] * D + i % D] += parts[token] * x.f32()[i];
  }
  record(
      "sequence_means", {h}, means,
      [shape = h.shape(), dtype = h.dtype(), sequence_of, parts](const Tensor& dy, Grads& grads) {
        const Tensor dh = Tensor::empty(shape);
        for (int64_t i = 0; i < dh.size(); ++i) {
          const auto token = static_cast<size_t>(i / shape[1]);
          dh.f32()[i] = parts[token] * dy.f32()[sequence_of[token] * shape[1] + i % shape[1]];
        }
        grads.give(0, dh.to(dtype));
      });
  return means;
}

Tensor tanh(const Tensor& x) {
  Tensor y = Tensor::empty(x.shape());
  for (int64_t i = 0; i < x.size(); ++i) y.f32()[i] = std::tanh(x.f32()[i]);
  const Tensor kept = y;
  record("tanh", {x}, y, [kept](const Tensor& dy, Grads& grads) {
    const Tensor dx = Tensor::empty(kept.shape());
    for (int64_t i = 0; i < dx.size(); ++i)
      dx.f32()[i] = dy.f32()[i] * (1 - kept.f32()[i] * kept.f32()[i]);
    grads.give(0, dx);
  });
  return y;
}

}  // namespace malssi
