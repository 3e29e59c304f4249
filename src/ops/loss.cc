#include "ops/loss.h"

#include "base/error.h"
#include "ops/head_pass.h"
#include "tensor/tape.h"

namespace malssi {

Tensor lm_loss(const Tensor& h, const Tensor& w, std::span<const int32_t> targets,
               std::span<const float> weights, float scale, std::vector<float>* token_losses,
               float softcap) {
  const HeadPass pass{.h = h, .w = w, .targets = targets, .weights = weights, .softcap = softcap};
  check_head("lm_loss", pass);
  const bool train = recording({h, w});
  const Tensor dh = train ? Tensor::empty(h.shape(), h.dtype()) : Tensor();
  GradSink dw;
  if (train && w.wants_grad()) dw = Grads({w.slot()}).into(0);
  const HeadGradients gradients{.scale = scale, .dh = dh, .dw = dw};
  std::vector<float> losses = head_losses(pass, train ? &gradients : nullptr);
  double sum = 0;
  for (float loss : losses) sum += loss;
  if (token_losses != nullptr) *token_losses = std::move(losses);
  Tensor result = Tensor::full({1}, static_cast<float>(sum * scale));
  if (!train) return result;
  record("lm_loss", {h, w}, result, [dh](const Tensor& seed, Grads& grads) {
    CHECK(seed.f32()[0] == 1.0f, "lm_loss: its gradients were computed for a seed of 1");
    grads.give(0, dh);
  });
  return result;
}

}  // namespace malssi
