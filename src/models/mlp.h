// The MLP of a block: one, or a mixture of experts (Shazeer et al. 2017; Jiang et al. 2024).
#pragma once

#include <string>
#include <vector>

#include "models/design.h"
#include "models/model.h"

namespace malssi {

// down(activation(gate) * up), or down(activation(up)).
class Mlp {
 public:
  Mlp() = default;
  Mlp(Rng* rng, const ModelConfig& c, const Design& design, int64_t hidden, DType dtype);

  // adapters: of the rows of x.
  Tensor operator()(const Tensor& x, const AdapterRows& adapters, std::optional<DType> out) const;
  // Names of the matrices in both spellings; `expert` as WeightPart has it.
  struct Names {
    std::string gate_up, gate, up, down;
  };
  void visit(const std::string& name, const Names& published, const Names& gguf, int64_t expert,
             const Design& design, const ParameterVisitor& visitor);

 private:
  Linear up_, down_;  // up: gate and up of a gated one
  bool gated_ = false;
  Activation activation_ = Activation::silu;
};

// The k likeliest experts of each token, weighed, and one more that sees every token where a model has it.
class Experts {
 public:
  Experts() = default;
  Experts(Rng* rng, const ModelConfig& c, const Design& design, DType dtype);

  Tensor operator()(const Tensor& x, const AdapterRows& adapters) const;  // f32
  // layer, file: what stands before the names of the block's parts; blk: the same in GGUF.
  void visit(const std::string& layer, const std::string& file, const std::string& blk,
             const ModelConfig& c, const Design& design, const ParameterVisitor& visitor);

 private:
  Linear router_, shared_gate_;
  std::vector<Mlp> experts_;
  std::vector<Mlp> shared_;  // one or none
  int64_t used_ = 0;
  bool renormalised_ = true;
};

}  // namespace malssi
