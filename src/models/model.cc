#include "models/model.h"

#include "kernels/gemm.h"
#include "kernels/table.h"
#include "ops/linear.h"

namespace malssi {

DType best_compute_dtype() { return has_native_bf16() ? DType::bf16 : DType::f32; }

Tensor Model::logits(const Tensor& hidden) const {
  const Tensor logits = linear(hidden, head(), {.bias = {}, .out = DType::f32});
  if (logit_softcap() > 0) kernels().softcap(logits.f32(), logit_softcap(), logits.size());
  return logits;
}

std::vector<Parameter> parameters_of(Model& model) {
  std::vector<Parameter> parameters;
  model.visit([&](const Parameter& p) { parameters.push_back(p); });
  return parameters;
}

int64_t Model::parameter_count() {
  int64_t count = 0;
  visit([&](const Parameter& p) { count += p.value->size(); });
  return count;
}

double Model::training_flops_per_token(int64_t sequence) {
  double weights = config_.tied ? static_cast<double>(config_.vocab * config_.width)
                                : 0;  // the embedding, as output layer
  const double used = config_.experts == 0 ? 1
                                           : static_cast<double>(config_.experts_used) /
                                                 static_cast<double>(config_.experts);
  visit([&](const Parameter& p) {
    const bool of_expert = p.name.find(".experts.") != std::string::npos;
    if (p.kind == ParameterKind::matrix || p.name == "head.weight")
      weights += static_cast<double>(p.value->size()) * (of_expert ? used : 1);
  });
  const auto attention =
      static_cast<double>(config_.layers * config_.heads * config_.head_dim * sequence);
  return 6 * weights + 6 * attention;
}

}  // namespace malssi
