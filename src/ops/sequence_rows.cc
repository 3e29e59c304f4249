#include "ops/sequence_rows.h"

#include <cmath>
#include <vector>

#include "base/error.h"
#include "tensor/tape.h"

namespace malssi {

Tensor sequence_rows(const Tensor& h, std::span<const int32_t> starts, SequencePlace place) {
  const int64_t D = h.dim(1), S = static_cast<int64_t>(starts.size()) - 1;
  REQUIRE(S >= 1 && starts[0] == 0 && starts.back() == h.dim(0), "sequence_rows: ", starts.size(),
          " sequence begins do not fit ", h.dim(0), " tokens");
  std::vector<int64_t> tokens;
  for (size_t s = 1; s < starts.size(); ++s) {
    REQUIRE(starts[s] > starts[s - 1], "sequence_rows: sequence ", s - 1, " is empty");
    tokens.push_back(place == SequencePlace::first ? starts[s - 1] : starts[s] - 1);
  }
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
