// Block: one transformer layer of any family: attention and an MLP, each added to the residual stream, with the norms of its Design.
#pragma once

#include <optional>
#include <string>

#include "models/mlp.h"
#include "nn/context.h"

namespace malssi {

// The norms around one half of a block; those that the family does not have are empty.
struct HalfOfBlock {
  std::optional<Norm> before, after_output, after_sum;

  HalfOfBlock(const HalfNorms& names, const ModelConfig& c, const Design& design, DType dtype);
  // x + f(x), with f the attention or the MLP: f(input, dtype of its result where that matters).
  template <class F>
  Tensor around(const Tensor& x, const AdapterRows& adapters, const DropoutOptions& drop,
                F&& f) const {
    const std::optional<DType> wide = after_output ? std::optional(DType::f32) : std::nullopt;
    Tensor y = f(before ? (*before)(x, adapters) : x, wide);
    if (after_output) y = (*after_output)(y, adapters);
    const Tensor sum = residual_add(x, y, drop);
    return after_sum ? (*after_sum)(sum, adapters) : sum;
  }
};

class Block {
 public:
  Block(Rng* rng, const ModelConfig& c, const Design& design, DType dtype);

  Tensor operator()(const Tensor& x, int64_t layer, Context& context, const AttentionSpec& spec,
                    DropoutOptions drop) const;
  void visit(const ModelConfig& c, const Design& design, int64_t layer,
             const ParameterVisitor& visitor);

 private:
  void visit_attention(const ModelConfig& c, const Design& design, const std::string& name,
                       const std::string& file, const std::string& blk,
                       const ParameterVisitor& visitor);

  HalfOfBlock attention_, mlp_part_;
  Linear qkv_, output_;
  std::optional<Norm> q_norm_, k_norm_;
  std::optional<Mlp> mlp_;
  std::optional<Experts> experts_;
};

}  // namespace malssi
