// Weights under their published names.
#include "kernels/table.h"
#include "models/model.h"

namespace malssi {
namespace {

// [rows, columns] -> [columns, rows], f32.
Tensor transposed(const Tensor& x) {
  const int64_t rows = x.dim(0), columns = x.dim(1);
  Tensor y = Tensor::empty({columns, rows});
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) y.f32()[c * rows + r] = x.f32()[r * columns + c];
  return y;
}

Shape published_shape(const Tensor& part, bool is_transposed) {
  return is_transposed ? Shape{part.dim(1), part.dim(0)} : part.shape();
}

}  // namespace

std::vector<NamedTensor> export_weights(Model& model) {
  std::vector<NamedTensor> weights;
  model.visit([&](const Parameter& p) {
    for (const WeightPart& part : p.parts) {
      const Tensor rows = p.value->rows(part.begin, part.end).to(DType::f32);
      weights.push_back({part.name, part.transposed ? transposed(rows) : rows});
    }
  });
  if (model.config().family == "gpt2" &&
      !model.config().bias) {  // other programs expect GPT-2's biases: zeros
    std::vector<NamedTensor> biases;
    for (const NamedTensor& w : weights) {
      const size_t end = w.name.rfind(".weight");
      const bool is_table = w.name.find(".wte.") != std::string::npos ||
                            w.name.find(".wpe.") != std::string::npos || w.name == "lm_head.weight";
      if (end == std::string::npos || is_table) continue;
      biases.push_back({w.name.substr(0, end) + ".bias", Tensor::zeros({w.value.dim(-1)})});
    }
    weights.insert(weights.end(), biases.begin(), biases.end());
  }
  return weights;
}

void import_weights(Model& model, const std::function<Tensor(const std::string& name)>& find) {
  model.visit([&](const Parameter& p) {
    for (const WeightPart& part : p.parts) {
      const Tensor target = p.value->rows(part.begin, part.end);
      Tensor source = find(part.name);
      REQUIRE(source.defined(), "weights: there is no tensor \"", part.name,
              "\"; the file does not hold a whole ", model.config().family,
              " model as its config.json describes it");
      const Shape expected = published_shape(target, part.transposed);
      REQUIRE(source.shape() == expected, "weights: \"", part.name, "\" is ", source.shape(),
              "; config.json makes it ", expected);
      if (part.transposed) source = transposed(source.to(DType::f32));
      target.copy_from(source);
    }
  });
}

}  // namespace malssi
