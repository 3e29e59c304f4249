#include "io/merge_adapter.h"

#include <cmath>
#include <map>

#include "base/error.h"
#include "io/weight_layout.h"
#include "ops/linear.h"

namespace malssi {
namespace {

// What happens to a weight [rows, columns] or a vector, in place; in this program's layout.
using Change = std::function<void(const Tensor& weight)>;

double row_length(const Tensor& w, int64_t row) {
  const int64_t K = w.dim(1);
  double sum = 0;
  for (int64_t k = 0; k < K; ++k) sum += double{w.f32()[row * K + k]} * w.f32()[row * K + k];
  return std::sqrt(sum);
}

Change add_low_rank(const AdapterPart& part, float weight) {
  return [part, weight](const Tensor& w) {
    const Tensor product = linear(part.b.to(DType::f32), transposed(part.a.to(DType::f32)));
    if (!part.magnitude) {
      const float factor = weight * part.scale;
      for (int64_t i = 0; i < w.size(); ++i) w.f32()[i] += factor * product.f32()[i];
      return;
    }
    const Tensor magnitude = part.magnitude.to(DType::f32);
    for (int64_t i = 0; i < w.size(); ++i)
      product.f32()[i] = w.f32()[i] + part.scale * product.f32()[i];
    const int64_t K = w.dim(1);
    for (int64_t row = 0; row < w.dim(0); ++row) {
      const double length = std::max(row_length(product, row), 1e-15);
      const auto gain = static_cast<float>(magnitude.f32()[row] / length);
      for (int64_t i = row * K; i < (row + 1) * K; ++i)
        w.f32()[i] += weight * (gain * product.f32()[i] - w.f32()[i]);
    }
  };
}

// Rows (of a bias: numbers) or columns times their factors.
Change scale(const Tensor& factors, bool columns, float weight) {
  return [factors = factors.to(DType::f32), columns, weight](const Tensor& w) {
    const int64_t count = factors.size(), width = w.size() / w.dim(0);
    for (int64_t i = 0; i < w.size(); ++i) {
      const float factor = factors.f32()[columns ? i % count : i / width];
      w.f32()[i] *= 1 + weight * (factor - 1);
    }
  };
}

Change approach(const Tensor& goal, float weight) {
  return [goal = goal.to(DType::f32), weight](const Tensor& w) {
    for (int64_t i = 0; i < w.size(); ++i) w.f32()[i] += weight * (goal.f32()[i] - w.f32()[i]);
  };
}

void check_mergeable(const AdapterFile& file) {
  const bool is_virtual = file.kind == AdapterKind::prompt || file.kind == AdapterKind::prefix;
  REQUIRE(!is_virtual, file.where(), ": its virtual tokens cannot be merged into weights: use it ",
          "beside the model, with --lora");
  REQUIRE(file.kind != AdapterKind::bottleneck, file.where(),
          ": bottleneck adapters are not linear and cannot be merged into weights: use it beside "
          "the model, with --lora");
}

// By bare_name() of the published weight.
std::map<std::string, Change> changes_of(const Adapter& adapter, float weight) {
  std::map<std::string, Change> changes;
  for (const AdapterPart& part : adapter.parts)
    changes[bare_name(part.matrix) + ".weight"] = add_low_rank(part, weight);
  for (const ScalingPart& part : adapter.extras.scalings) {
    changes[bare_name(part.matrix) + ".weight"] = scale(part.factors, part.of_inputs, weight);
    if (!part.of_inputs)
      changes[bare_name(part.matrix) + ".bias"] = scale(part.factors, false, weight);
  }
  for (const NormPart& part : adapter.extras.norms) {
    changes[bare_name(part.norm) + ".weight"] = approach(part.weight, weight);
    if (part.bias) changes[bare_name(part.norm) + ".bias"] = approach(part.bias, weight);
  }
  return changes;
}

struct WeightChange {
  Change change;
  bool is_transposed = false;
};

Tensor changed(const Tensor& held, const WeightChange& place) {
  Tensor wide = held.to(DType::f32).clone();
  if (place.is_transposed) wide = transposed(wide);
  place.change(wide);
  return place.is_transposed ? transposed(wide) : wide;
}

}  // namespace

void merge_adapter(ModelSource& source, const fs::path& path, double weight) {
  const auto model = make_model(source.config, DType::f32, std::nullopt);
  const AdapterFile file = open_adapter(path);
  check_mergeable(file);
  const Adapter adapter = fit_adapter(file, *model);
  model->attach(adapter);  // checks every shape
  const auto changes = changes_of(adapter, static_cast<float>(weight));
  std::map<std::string, WeightChange> places;  // by published name
  for (const ModelPart& p : parts_of(*model))
    if (const auto found = changes.find(bare_name(p.part.name)); found != changes.end())
      places[p.part.name] = {found->second, p.part.transposed};
  source.find = [plain = std::move(source.find),
                 places = std::move(places)](const std::string& name) {
    const Tensor held = plain(name);
    const auto place = places.find(name);
    return held.defined() && place != places.end() ? changed(held, place->second) : held;
  };
}

}  // namespace malssi
