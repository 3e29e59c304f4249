#include "ops/loss.h"

#include "ops/head_pass.h"

namespace malssi {

Tensor lm_loss(const Tensor& h, const Tensor& w, std::span<const int32_t> targets,
               std::span<const float> weights, float scale, std::vector<float>* token_losses,
               float softcap) {
  const HeadPass pass{.h = h, .w = w, .targets = targets, .weights = weights, .softcap = softcap};
  check_head("lm_loss", pass);
  return head_loss("lm_loss", pass, scale, token_losses);
}

}  // namespace malssi
