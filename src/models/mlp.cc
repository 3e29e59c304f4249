#include "models/mlp.h"

#include <cmath>
#include <numeric>

#include "ops/experts.h"

namespace malssi {
namespace {

constexpr double kDeviation = 0.02;

// Of matrices that write into the residual stream (Radford et al. 2019).
double last_deviation(const ModelConfig& c) {
  return kDeviation / std::sqrt(2.0 * static_cast<double>(c.layers));
}

Tensor activated(const Tensor& x, Activation activation) {
  if (activation == Activation::relu) return relu(x);
  return gelu(x, activation == Activation::gelu ? GeluKind::exact : GeluKind::tanh);
}

}  // namespace

Mlp::Mlp(Rng* rng, const ModelConfig& c, const Design& design, int64_t hidden, DType dtype)
    : gated_(!design.gate.empty() || !design.gate_up.empty()), activation_(design.activation) {
  const int64_t rows = gated_ ? 2 * hidden : hidden;
  up_ = Linear(rng, c.width, rows, kDeviation, dtype, design.mlp_bias);
  down_ = Linear(rng, hidden, c.width, last_deviation(c), dtype, design.mlp_bias);
}

Tensor Mlp::operator()(const Tensor& x, const AdapterRows& adapters,
                       std::optional<DType> out) const {
  const Tensor up = up_(x, adapters);
  const Tensor inner = !gated_                           ? activated(up, activation_)
                       : activation_ == Activation::silu ? swiglu(up)
                                                         : geglu(up);
  return down_(inner, adapters, out);
}

void Mlp::visit(const std::string& name, const Names& published, const Names& gguf, int64_t expert,
                const Design& design, const ParameterVisitor& visitor) {
  const int64_t rows = up_.weight.dim(0), half = rows / 2;
  const auto part = [&](const std::string& hf, int64_t count, const std::string& other) {
    return PublishedPart{.prefix = hf, .rows = count, .gguf = other, .expert = expert};
  };
  if (!gated_) {
    up_.visit(name + ".up", {part(published.up, rows, gguf.up)}, visitor, design.transposed);
  } else if (!design.gate_up.empty()) {
    up_.visit(name + ".gate_up", {part(published.gate_up, rows, gguf.up)}, visitor);
  } else {
    up_.visit(name + ".gate_up",
              {part(published.gate, half, gguf.gate), part(published.up, half, gguf.up)}, visitor);
  }
  down_.visit(name + ".down", {part(published.down, down_.weight.dim(0), gguf.down)}, visitor,
              design.transposed);
}

Experts::Experts(Rng* rng, const ModelConfig& c, const Design& design, DType dtype)
    : router_(rng, c.width, c.experts, kDeviation, dtype, false),
      used_(c.experts_used),
      renormalised_(c.renormalised) {
  for (int64_t e = 0; e < c.experts; ++e)
    experts_.emplace_back(rng, c, design, c.expert_hidden, dtype);
  if (c.shared_hidden == 0) return;
  shared_.emplace_back(rng, c, design, c.shared_hidden, dtype);
  shared_gate_ = Linear(rng, c.width, 1, kDeviation, dtype, false);
}

Tensor Experts::operator()(const Tensor& x, const AdapterRows& adapters) const {
  const int64_t N = x.dim(0);
  const Route chosen =
      route(router_(x, adapters, DType::f32), used_,
            renormalised_ ? RouteWeights::renormalised : RouteWeights::probabilities);
  std::vector<std::vector<int32_t>> rows(experts_.size()), places(experts_.size());
  for (int32_t i = 0; i < N * used_; ++i) {
    const auto expert = static_cast<size_t>(chosen.experts[static_cast<size_t>(i)]);
    rows[expert].push_back(static_cast<int32_t>(i / used_));
    places[expert].push_back(i);
  }
  Tensor sum = Tensor::zeros({N, x.dim(1)});
  for (size_t e = 0; e < experts_.size(); ++e)
    if (!rows[e].empty())
      sum = scatter_rows_in_place(
          sum, experts_[e](gather_rows(x, rows[e]), adapters.gathered(rows[e]), DType::f32),
          rows[e], chosen.weights, places[e]);
  if (shared_.empty()) return sum;
  std::vector<int32_t> all(static_cast<size_t>(N));
  std::iota(all.begin(), all.end(), 0);
  const Tensor share = sigmoid(shared_gate_(x, adapters, DType::f32));
  return scatter_rows_in_place(sum, shared_.front()(x, adapters, DType::f32), all, share, all);
}

void Experts::visit(const std::string& layer, const std::string& file, const std::string& blk,
                    const ModelConfig& c, const Design& design, const ParameterVisitor& visitor) {
  const auto named = [&](const std::string& prefix) {
    return Mlp::Names{.gate_up = {},
                      .gate = prefix + design.expert_gate,
                      .up = prefix + design.expert_up,
                      .down = prefix + design.expert_down};
  };
  const auto stacked = [&](const std::string& kind) {
    return Mlp::Names{.gate_up = {},
                      .gate = blk + "ffn_gate_" + kind,
                      .up = blk + "ffn_up_" + kind,
                      .down = blk + "ffn_down_" + kind};
  };
  router_.visit(layer + "mlp.router",
                {{.prefix = file + design.router, .rows = c.experts, .gguf = blk + "ffn_gate_inp"}},
                visitor);
  for (size_t e = 0; e < experts_.size(); ++e) {
    const std::string number = std::to_string(e);
    experts_[e].visit(layer + "mlp.experts." + number,
                      named(file + design.experts + "." + number + "."), stacked("exps"),
                      static_cast<int64_t>(e), design, visitor);
  }
  if (shared_.empty()) return;
  shared_.front().visit(layer + "mlp.shared", named(file + design.shared_expert + "."),
                        stacked("shexp"), -1, design, visitor);
  shared_gate_.visit(
      layer + "mlp.shared_gate",
      {{.prefix = file + design.shared_gate, .rows = 1, .gguf = blk + "ffn_gate_inp_shexp"}},
      visitor);
}

}  // namespace malssi
