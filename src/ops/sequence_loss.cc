#include "ops/sequence_loss.h"

#include <algorithm>

#include "base/error.h"
#include "ops/head_pass.h"
#include "tensor/tape.h"

namespace malssi {
namespace {

void check_starts(const ScoredTokens& tokens) {
  const auto& starts = tokens.starts;
  REQUIRE(starts.size() >= 2 && starts.front() == 0 &&
              starts.back() == static_cast<int64_t>(tokens.targets.size()) &&
              std::is_sorted(starts.begin(), starts.end()),
          "sequence_log_probs: ", starts.size(), " sequence begins do not fit ",
          tokens.targets.size(), " tokens: expected 0, .., ", tokens.targets.size(), " rising");
}

}  // namespace

Tensor sequence_log_probs(const Tensor& h, const Tensor& w, const ScoredTokens& tokens,
                          float softcap) {
  check_starts(tokens);
  const HeadPass pass{
      .h = h, .w = w, .targets = tokens.targets, .weights = tokens.weights, .softcap = softcap};
  check_head("sequence_log_probs", pass);
  const std::vector<float> losses = head_losses(pass, nullptr);
  const int64_t S = static_cast<int64_t>(tokens.starts.size()) - 1;
  Tensor sums = Tensor::empty({S});
  for (int64_t s = 0; s < S; ++s) {
    double sum = 0;
    const auto at = static_cast<size_t>(s);
    for (int32_t n = tokens.starts[at]; n < tokens.starts[at + 1]; ++n)
      sum -= losses[static_cast<size_t>(n)];
    sums.f32()[s] = static_cast<float>(sum);
  }
  record("sequence_log_probs", {h, w}, sums,
         [h, w, tokens, softcap, S](const Tensor& dy, Grads& grads) {
           std::vector<float> weights = tokens.weights;  // of -log p: hence the sign
           for (int64_t s = 0; s < S; ++s)
             for (int32_t n = tokens.starts[static_cast<size_t>(s)];
                  n < tokens.starts[static_cast<size_t>(s) + 1]; ++n)
               weights[static_cast<size_t>(n)] *= -dy.f32()[s];
           const Tensor dh = grads.wants(0) ? Tensor::empty(h.shape(), h.dtype()) : Tensor();
           const HeadGradients gradients{.scale = 1, .dh = dh, .dw = grads.into(1)};
           head_losses(
               {.h = h, .w = w, .targets = tokens.targets, .weights = weights, .softcap = softcap},
               &gradients);
           if (dh) grads.give(0, dh);
         });
  return sums;
}

Tensor known_loss(const Tensor& x, double value, std::vector<float> derivatives) {
  CHECK(static_cast<int64_t>(derivatives.size()) == x.size(), "known_loss: ", derivatives.size(),
        " derivatives of ", x.size(), " numbers");
  Tensor loss = Tensor::full({1}, static_cast<float>(value));
  record("known_loss", {x}, loss, [derivatives, x](const Tensor& seed, Grads& grads) {
    Tensor dx = Tensor::empty(x.shape());
    for (int64_t i = 0; i < dx.size(); ++i)
      dx.f32()[i] = seed.f32()[0] * derivatives[static_cast<size_t>(i)];
    grads.give(0, dx);
  });
  return loss;
}

}  // namespace malssi
