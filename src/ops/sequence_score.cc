#include "ops/sequence_score.h"

#include <vector>

#include "base/error.h"
#include "tensor/tape.h"

namespace malssi {

Tensor sequence_scores(const Tensor& h, const Tensor& w, std::span<const int32_t> starts) {
  const int64_t D = h.dim(1), S = static_cast<int64_t>(starts.size()) - 1;
  REQUIRE(w.shape() == (Shape{1, D}), "sequence_scores: h ", h.shape(), " does not fit weight ",
          w.shape(), ": expected one row as long as h's");
  REQUIRE(S >= 1 && starts[0] == 0 && starts.back() == h.dim(0), "sequence_scores: ", starts.size(),
          " sequence begins do not fit ", h.dim(0), " tokens");
  std::vector<int64_t> last;  // token of each sequence
  for (size_t s = 1; s < starts.size(); ++s) {
    REQUIRE(starts[s] > starts[s - 1], "sequence_scores: sequence ", s - 1, " is empty");
    last.push_back(starts[s] - 1);
  }
  Tensor rows = Tensor::empty({S, D});  // h of those tokens
  const Tensor weight = w.to(DType::f32);
  Tensor scores = Tensor::empty({S});
  for (int64_t s = 0; s < S; ++s) {
    const int64_t token = last[static_cast<size_t>(s)];
    rows.rows(s, s + 1).copy_from(h.rows(token, token + 1));
    double sum = 0;
    for (int64_t d = 0; d < D; ++d)
      sum += static_cast<double>(rows.f32()[s * D + d]) * weight.f32()[d];
    scores.f32()[s] = static_cast<float>(sum);
  }
  record("sequence_scores", {h, w}, scores, [=](const Tensor& dy, Grads& grads) {
    if (grads.wants(0)) {
      const Tensor dh = Tensor::zeros(Shape{h.dim(0), D});
      for (int64_t s = 0; s < S; ++s)
        for (int64_t d = 0; d < D; ++d)
          dh.f32()[last[static_cast<size_t>(s)] * D + d] = dy.f32()[s] * weight.f32()[d];
      grads.give(0, dh.to(h.dtype()));
    }
    const GradSink dw = grads.into(1);
    if (!dw.target) return;
    for (int64_t d = 0; d < D; ++d) {
      double sum = 0;
      for (int64_t s = 0; s < S; ++s)
        sum += static_cast<double>(dy.f32()[s]) * rows.f32()[s * D + d];
      float& target = dw.target.f32()[d];
      target = (dw.beta == 0 ? 0 : dw.beta * target) + static_cast<float>(sum);
    }
  });
  return scores;
}

}  // namespace malssi
