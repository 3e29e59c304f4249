#include "models/block.h"

#include <cmath>

namespace malssi {
namespace {

std::optional<Norm> make_norm(const std::string& name, const ModelConfig& c, const Design& design,
                              DType out) {
  if (name.empty()) return {};
  return Norm(design.norm_kind, c.width, c.norm_eps, out, design.norm_bias);
}

std::optional<Norm> make_head_norm(const std::string& name, const ModelConfig& c) {
  if (name.empty()) return {};
  return Norm(NormKind::rms, c.head_dim, c.norm_eps, DType::f32, false);
}

}  // namespace

HalfOfBlock::HalfOfBlock(const HalfNorms& names, const ModelConfig& c, const Design& design,
                         DType dtype)
    : before(make_norm(names.before, c, design, dtype)),
      after_output(make_norm(names.after_output, c, design, DType::f32)),
      after_sum(make_norm(names.after_sum, c, design, DType::f32)) {}

Block::Block(Rng* rng, const ModelConfig& c, const Design& design, DType dtype)
    : attention_(design.attention_norms, c, design, dtype),
      mlp_part_(design.mlp_norms, c, design, dtype),
      q_norm_(make_head_norm(design.q_norm, c)),
      k_norm_(make_head_norm(design.k_norm, c)) {
  const double deviation = 0.02, last = deviation / std::sqrt(2.0 * static_cast<double>(c.layers));
  qkv_ = Linear(rng, c.width, (c.heads + 2 * c.kv_heads) * c.head_dim, deviation, dtype,
                design.qkv_bias);
  output_ = Linear(rng, c.heads * c.head_dim, c.width, last, dtype, design.output_bias);
  if (design.router.empty())
    mlp_.emplace(rng, c, design, c.hidden, dtype);
  else
    experts_.emplace(rng, c, design, dtype);
}

Tensor Block::operator()(const Tensor& x, int64_t layer, Context& context,
                         const AttentionSpec& spec, DropoutOptions drop) const {
  const AdapterRows& adapters = context.adapters();
  const Tensor y =
      attention_.around(x, adapters, drop, [&](const Tensor& input, std::optional<DType> out) {
        Tensor qkv = qkv_(input, adapters);
        if (q_norm_)
          qkv = head_norm(qkv, q_norm_->weight, k_norm_->weight, spec.heads.heads,
                          spec.heads.kv_heads, q_norm_->eps);
        return output_(context.attend(layer, qkv, spec), adapters, out);
      });
  drop.seed = splitmix64(drop.seed);
  return mlp_part_.around(y, adapters, drop, [&](const Tensor& input, std::optional<DType> out) {
    return experts_ ? (*experts_)(input, adapters) : (*mlp_)(input, adapters, out);
  });
}

void Block::visit(const ModelConfig& c, const Design& design, int64_t layer,
                  const ParameterVisitor& visitor) {
  const std::string name = concat("layers.", layer, "."), blk = concat("blk.", layer, "."),
                    file = concat(design.layers, ".", layer, ".");
  const auto norm = [&](std::optional<Norm>& n, const char* own, const std::string& published,
                        const char* gguf) {
    if (n)
      n->visit(name + own, {.prefix = file + published, .gguf = blk + gguf}, visitor,
               design.norm_added);
  };
  const HalfNorms& a = design.attention_norms;
  const HalfNorms& m = design.mlp_norms;
  norm(attention_.before, "attention_norm", a.before, "attn_norm");
  visit_attention(c, design, name, file, blk, visitor);
  norm(attention_.after_output, "attention_output_norm", a.after_output, "post_attention_norm");
  norm(attention_.after_sum, "attention_sum_norm", a.after_sum, "attn_output_norm");
  norm(mlp_part_.before, "mlp_norm", m.before, "ffn_norm");
  if (experts_) experts_->visit(name, file, blk, c, design, visitor);
  if (mlp_)
    mlp_->visit(name + "mlp",
                {file + design.gate_up, file + design.gate, file + design.up, file + design.down},
                {{}, blk + "ffn_gate", blk + "ffn_up", blk + "ffn_down"}, -1, design, visitor);
  norm(mlp_part_.after_output, "mlp_output_norm", m.after_output, "post_ffw_norm");
  norm(mlp_part_.after_sum, "mlp_sum_norm", m.after_sum, "layer_output_norm");
}

void Block::visit_attention(const ModelConfig& c, const Design& design, const std::string& name,
                            const std::string& file, const std::string& blk,
                            const ParameterVisitor& visitor) {
  const int64_t rows = c.heads * c.head_dim, kv_rows = c.kv_heads * c.head_dim;
  std::vector<PublishedPart> parts;
  if (!design.qkv.empty()) {
    parts = {{.prefix = file + design.qkv, .rows = rows + 2 * kv_rows, .gguf = blk + "attn_qkv"}};
  } else {
    parts = {{.prefix = file + design.q,
              .rows = rows,
              .gguf = blk + "attn_q",
              .interleaved_heads = design.interleaved ? c.heads : 0},
             {.prefix = file + design.k,
              .rows = kv_rows,
              .gguf = blk + "attn_k",
              .interleaved_heads = design.interleaved ? c.kv_heads : 0},
             {.prefix = file + design.v, .rows = kv_rows, .gguf = blk + "attn_v"}};
  }
  qkv_.visit(name + "attention.qkv", parts, visitor, design.transposed);
  if (q_norm_) {
    q_norm_->visit(name + "attention.q_norm",
                   {.prefix = file + design.q_norm, .gguf = blk + "attn_q_norm"}, visitor,
                   design.norm_added);
    k_norm_->visit(name + "attention.k_norm",
                   {.prefix = file + design.k_norm, .gguf = blk + "attn_k_norm"}, visitor,
                   design.norm_added);
  }
  output_.visit(name + "attention.output",
                {{.prefix = file + design.output, .rows = c.width, .gguf = blk + "attn_output"}},
                visitor, design.transposed);
}

}  // namespace malssi
