#include "nn/layers.h"

#include <algorithm>

#include "ops/columns.h"
#include "ops/experts.h"

namespace malssi {
namespace {

// kind: ".weight" or ".bias".
WeightPart part_of(const PublishedPart& part, const char* kind, int64_t begin, int64_t end) {
  return {.name = part.prefix + kind,
          .begin = begin,
          .end = end,
          .gguf = part.gguf.empty() ? "" : part.gguf + kind,
          .interleaved_heads = part.interleaved_heads,
          .expert = part.expert};
}

}  // namespace

Tensor random_table(Rng* rng, int64_t rows, int64_t width, double deviation, DType dtype) {
  if (!rng) return Tensor::shaped({rows, width}, dtype).want_grad();
  Tensor table = Tensor::empty({rows, width});
  float* values = table.f32();
  for (int64_t i = 0; i < table.size(); ++i)
    values[i] = static_cast<float>(deviation * rng->normal());
  Tensor kept = table.to(dtype);
  kept.want_grad();
  return kept;
}

Linear::Linear(Rng* rng, int64_t inputs, int64_t outputs, double deviation, DType dtype,
               bool with_bias)
    : weight(random_table(rng, outputs, inputs, deviation, dtype)) {
  if (with_bias) bias = Tensor::zeros({outputs}).want_grad();
}

Tensor Linear::weight_of(const LowRank& term) const {
  const int64_t rows = term.b.dim(0);
  int64_t row = 0;
  for (const Tensor& part : parts) {
    if (row == term.first_row && part.dim(0) == rows) return part;
    row += part.dim(0);
  }
  return weight.rows(term.first_row, term.first_row + rows);
}

Tensor Linear::operator()(const Tensor& given, const AdapterRows& adapters,
                          std::optional<DType> out) const {
  const Tensor x = changes.before(given, adapters);
  const LinearOptions options{.bias = bias, .out = out};
  Tensor y = parts.empty() ? linear(x, weight, options) : linear(x, parts, options);
  for (const LowRank& term : low_ranks) {
    const AdapterRows::Use* use = adapters.find(term.adapter);
    if (use == nullptr) continue;
    if (!term.magnitude) {
      y = add_low_rank(y, x, term, *use, adapters.dropout_seed());
      continue;
    }
    const Tensor norms =
        term.inverse_norms ? term.inverse_norms : inverse_norms_of(weight_of(term), term);
    y = rescale_with(y, x, term, *use, bias, norms, adapters.dropout_seed());
  }
  return changes.after(y, adapters);
}

void Linear::visit(const std::string& name, const std::vector<PublishedPart>& parts,
                   const ParameterVisitor& visitor, bool transposed) {
  std::vector<WeightPart> weights, biases;
  int64_t row = 0;
  for (const PublishedPart& part : parts) {
    weights.push_back(part_of(part, ".weight", row, row + part.rows));
    weights.back().transposed = transposed;
    biases.push_back(part_of(part, ".bias", row, row + part.rows));
    row += part.rows;
  }
  CHECK(row == weight.dim(0), name, ": its parts have ", row, " rows, the weight ", weight.dim(0));
  visitor({name + ".weight", &weight, ParameterKind::matrix, std::move(weights), &this->parts,
           &low_ranks, nullptr, &changes});
  if (bias) visitor({name + ".bias", &bias, ParameterKind::bias, std::move(biases)});
}

Norm::Norm(NormKind norm_kind, int64_t width, double epsilon, DType result, bool with_bias)
    : kind(norm_kind),
      eps(static_cast<float>(epsilon)),
      out(result),
      weight(Tensor::full({width}, 1).want_grad()) {
  if (with_bias) bias = Tensor::zeros({width}).want_grad();
}

Tensor Norm::operator()(const Tensor& x, const AdapterRows& adapters) const {
  const auto norm = [this](const Tensor& rows, const Tensor& w, const Tensor& b, DType to) {
    return kind == NormKind::rms ? rms_norm(rows, w, eps, to) : layer_norm(rows, w, b, eps, to);
  };
  const bool is_changed = std::any_of(changes.begin(), changes.end(), [&](const NormChange& each) {
    return adapters.find(each.adapter) != nullptr;
  });
  if (!is_changed) return norm(x, weight, bias, out);
  // Linear in its weights: what a change adds is the norm by the difference, which neighbours do not see.
  Tensor y = norm(x, weight, bias, DType::f32);
  for (const NormChange& change : changes) {
    const AdapterRows::Use* use = adapters.find(change.adapter);
    if (use == nullptr) continue;
    const Tensor more =
        norm(gather_rows(x, use->rows), difference(change.weight, weight, change.added),
             bias ? difference(change.bias, bias) : Tensor(), DType::f32);
    y = add_columns_in_place(y, scaled_rows(more, use->weights), use->rows, 0);
  }
  return converted(y, out);
}

void Norm::visit(const std::string& name, const PublishedPart& published,
                 const ParameterVisitor& visitor, float added) {
  WeightPart part = part_of(published, ".weight", 0, weight.size());
  part.added = added;
  Parameter parameter{name + ".weight", &weight, ParameterKind::norm, {part}};
  parameter.norm_changes = &changes;
  parameter.norm_bias = &bias;
  visitor(parameter);
  if (bias)
    visitor({name + ".bias",
             &bias,
             ParameterKind::bias,
             {part_of(published, ".bias", 0, weight.size())}});
}

}  // namespace malssi
