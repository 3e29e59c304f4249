#include "train/run/recompute.h"

#include "base/format.h"

namespace malssi {
namespace {

// Of weights, gradients and what the optimiser keeps for each trained number.
int64_t standing_bytes(const OptimSettings& optim, const Trained& trained, Model& model) {
  const int64_t moments = optim.moments == "bf16" ? 4 : 8;
  constexpr int64_t kGradientAndMaster = 8;
  int64_t bytes = 0;
  model.visit([&](const Parameter& p) {
    if (p.held == nullptr || p.held->empty()) bytes += p.value->bytes();
    if (p.held == nullptr) return;
    for (const Tensor& part : *p.held) bytes += part.bytes();
  });
  for (const Parameter& p : trained.parameters)
    bytes += p.value->size() * (kGradientAndMaster + moments);
  return bytes;
}

}  // namespace

int64_t kept_bytes_per_token(const Model& model) {
  const ModelConfig& c = model.config();
  const int64_t used = c.experts > 0 ? c.experts_used : 1;
  const int64_t hidden = c.experts > 0 ? c.expert_hidden : c.hidden;
  const int64_t heads = (2 * c.heads + 2 * c.kv_heads) * c.head_dim;
  // Two sums of the residual stream in f32; norms, attention and MLP in the products' precision.
  const int64_t products = 2 * c.width + heads + used * 3 * hidden + 2 * c.width;
  return c.layers * (8 * c.width + products * dtype_size(model.dtype()));
}

KeepForBackward kept_for_backward(const TrainSettings& train, const OptimSettings& optim,
                                  const Trained& trained, Model& model, int64_t memory) {
  if (train.recompute == "on") return KeepForBackward::block_inputs;
  if (train.recompute == "off") return KeepForBackward::everything;
  const int64_t left = memory - standing_bytes(optim, trained, model);
  const int64_t kept = kept_bytes_per_token(model) * train.micro_batch_tokens;
  return kept > left / 2 ? KeepForBackward::block_inputs : KeepForBackward::everything;
}

KeepForBackward kept_for_backward(const TrainSettings& train, const OptimSettings& optim,
                                  const Trained& trained, Model& model) {
  return kept_for_backward(train, optim, trained, model, machine_memory_bytes());
}

}  // namespace malssi
