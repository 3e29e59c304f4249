#include "nn/layers.h"

namespace malssi {

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

void Linear::visit(const std::string& name, const std::vector<PublishedPart>& parts,
                   const ParameterVisitor& visitor, bool transposed) {
  std::vector<WeightPart> weights, biases;
  int64_t row = 0;
  for (const PublishedPart& part : parts) {
    weights.push_back({part.prefix + ".weight", row, row + part.rows, transposed});
    biases.push_back({part.prefix + ".bias", row, row + part.rows, false});
    row += part.rows;
  }
  CHECK(row == weight.dim(0), name, ": its parts have ", row, " rows, the weight ", weight.dim(0));
  visitor({name + ".weight", &weight, ParameterKind::matrix, std::move(weights), &this->parts});
  if (bias) visitor({name + ".bias", &bias, ParameterKind::bias, std::move(biases)});
}

Norm::Norm(NormKind norm_kind, int64_t width, double epsilon, DType result, bool with_bias)
    : kind(norm_kind),
      eps(static_cast<float>(epsilon)),
      out(result),
      weight(Tensor::full({width}, 1).want_grad()) {
  if (with_bias) bias = Tensor::zeros({width}).want_grad();
}

Tensor Norm::operator()(const Tensor& x) const {
  return kind == NormKind::rms ? rms_norm(x, weight, eps, out)
                               : layer_norm(x, weight, bias, eps, out);
}

void Norm::visit(const std::string& name, const std::string& published,
                 const ParameterVisitor& visitor) {
  const int64_t width = weight.size();
  visitor(
      {name + ".weight", &weight, ParameterKind::norm, {{published + ".weight", 0, width, false}}});
  if (bias)
    visitor({name + ".bias", &bias, ParameterKind::bias, {{published + ".bias", 0, width, false}}});
}

}  // namespace malssi
