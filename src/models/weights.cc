// Weights under their published names.
#include <algorithm>

#include "base/parallel.h"
#include "kernels/table.h"
#include "models/model.h"

namespace malssi {
namespace {

// [rows, columns] -> [columns, rows], f32.
Tensor transposed(const Tensor& x) {
  const int64_t rows = x.dim(0), columns = x.dim(1);
  Tensor y = Tensor::empty({columns, rows});
  const float* const from = x.f32();
  float* const to = y.f32();
  constexpr int64_t kTile = 32;  // a tile of both sides stays in the cache
  parallel_for((columns + kTile - 1) / kTile, 1, [&](int64_t begin, int64_t end) {
    for (int64_t tile = begin * kTile; tile < std::min(end * kTile, columns); tile += kTile)
      for (int64_t r0 = 0; r0 < rows; r0 += kTile)
        for (int64_t c = tile; c < std::min(tile + kTile, columns); ++c)
          for (int64_t r = r0; r < std::min(r0 + kTile, rows); ++r)
            to[c * rows + r] = from[r * columns + c];
  });
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
