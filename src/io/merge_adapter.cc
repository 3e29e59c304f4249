#include "io/merge_adapter.h"

#include <map>

#include "base/error.h"
#include "io/weight_layout.h"
#include "ops/linear.h"

namespace malssi {
namespace {

struct Change {
  AdapterPart part;
  bool is_transposed = false;
};

Tensor merged(const Tensor& held, const Change& change, float weight) {
  const Tensor sum = held.to(DType::f32).clone();
  Tensor product = linear(change.part.b.to(DType::f32), transposed(change.part.a.to(DType::f32)));
  if (change.is_transposed) product = transposed(product);
  const float factor = weight * change.part.scale;
  for (int64_t i = 0; i < sum.size(); ++i) sum.f32()[i] += factor * product.f32()[i];
  return sum;
}

}  // namespace

void merge_adapter(ModelSource& source, const fs::path& path, double weight) {
  const auto model = make_model(source.config, DType::f32, std::nullopt);
  const Adapter adapter = fit_adapter(open_adapter(path), *model);
  model->attach(adapter);  // checks every shape
  std::map<std::string, AdapterPart> parts;
  for (const AdapterPart& part : adapter.parts) parts[bare_name(part.matrix) + ".weight"] = part;
  std::map<std::string, Change> changes;  // by published name
  for (const ModelPart& p : parts_of(*model))
    if (const auto found = parts.find(bare_name(p.part.name)); found != parts.end())
      changes[p.part.name] = {found->second, p.part.transposed};
  source.find = [plain = std::move(source.find), changes = std::move(changes),
                 weight = static_cast<float>(weight)](const std::string& name) {
    const Tensor held = plain(name);
    const auto change = changes.find(name);
    return held.defined() && change != changes.end() ? merged(held, change->second, weight) : held;
  };
}

}  // namespace malssi
