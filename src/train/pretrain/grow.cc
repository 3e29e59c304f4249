#include "train/pretrain/grow.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "models/classifier.h"
#include "models/value_head.h"

namespace malssi {
namespace {

// x [rows, D], f32 -> [vocab, D], the new rows being the mean of the old.
Tensor with_rows(const Tensor& x, int64_t vocab) {
  const int64_t rows = x.dim(0), D = x.dim(1);
  const Tensor y = Tensor::empty({vocab, D});
  std::copy_n(x.f32(), rows * D, y.f32());
  std::vector<double> mean(static_cast<size_t>(D), 0.0);
  for (int64_t i = 0; i < rows * D; ++i) mean[static_cast<size_t>(i % D)] += x.f32()[i];
  for (int64_t i = rows * D; i < vocab * D; ++i) {
    y.f32()[i] = static_cast<float>(mean[static_cast<size_t>(i % D)] / static_cast<double>(rows));
  }
  return y;
}

void lengthen(Model& model, ModelConfig& config, int64_t context) {
  bool learned = false;
  model.visit([&](const Parameter& parameter) { learned |= parameter.name == "positions.weight"; });
  REQUIRE(!learned && config.rope_scaling.kind.empty(), "a context of ", context,
          " tokens: the model takes ", config.context, ", and its positions are ",
          learned ? "learned" : "scaled already", ": train on ", config.context, " or fewer");
  const auto d = static_cast<double>(config.head_dim);
  const double longer = static_cast<double>(context) / static_cast<double>(config.context);
  if (d > 2) config.rope_theta *= std::pow(longer, d / (d - 2));
  config.context = context;
}

}  // namespace

std::unique_ptr<Model> grown(Model& model, const GrowOptions& options) {
  ModelConfig config = model.config();
  CHECK(options.vocab >= config.vocab, "a vocabulary of ", options.vocab, " after ", config.vocab);
  config.vocab = options.vocab;
  config.dropout = options.dropout;
  if (options.context > config.context) lengthen(model, config, options.context);
  std::unique_ptr<Model> larger = make_model(config, model.dtype(), 0);
  if (has_value_head(model)) larger = with_value_head(std::move(larger));
  if (const Labels* labels = labels_of(model))
    larger = with_classifier(std::move(larger), *labels, 0);
  std::set<std::string> tables;  // published names of what has a row for each token
  larger->visit([&](const Parameter& parameter) {
    if (parameter.name != "embedding.weight" && parameter.name != "head.weight") return;
    for (const WeightPart& part : parameter.parts) tables.insert(part.name);
  });
  std::map<std::string, Tensor> weights;
  for (NamedTensor& weight : export_weights(model)) weights[weight.name] = weight.value;
  import_weights(*larger, [&](const std::string& name) {
    const Tensor& weight = weights[name];
    const bool grows = tables.contains(name) && weight && weight.dim(0) < config.vocab;
    return grows ? with_rows(weight, config.vocab) : weight;
  });
  return larger;
}

}  // namespace malssi
