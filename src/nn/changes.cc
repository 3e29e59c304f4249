#include "nn/changes.h"

#include "ops/activation.h"
#include "ops/columns.h"
#include "ops/experts.h"
#include "ops/linear.h"
#include "ops/rescale.h"
#include "tensor/tape.h"

namespace malssi {
namespace {

Tensor scaled_by(Tensor x, const std::vector<Scaling>& scalings, const AdapterRows& adapters) {
  for (const Scaling& each : scalings)
    if (const AdapterRows::Use* use = adapters.find(each.adapter))
      x = scaled_columns(x, each.factors, {use->rows, use->weights}, each.first_row);
  return x;
}

}  // namespace

Tensor LinearChanges::before(const Tensor& x, const AdapterRows& adapters) const {
  return scaled_by(x, inputs, adapters);
}

Tensor LinearChanges::after(const Tensor& y, const AdapterRows& adapters) const {
  Tensor result = scaled_by(y, outputs, adapters);
  for (const Bottleneck& each : bottlenecks) {
    const AdapterRows::Use* use = adapters.find(each.adapter);
    if (use == nullptr) continue;
    // A copy of the rows: they are kept for the backward pass, and the result changes them in place.
    const Tensor inner = linear(gather_rows(result, use->rows), each.down,
                                {.bias = each.down_bias, .out = each.down.dtype()});
    const Tensor active =
        each.activation == BottleneckActivation::relu ? relu(inner) : gelu(inner, GeluKind::tanh);
    const Tensor more = linear(active, each.up, {.bias = each.up_bias, .out = DType::f32});
    std::vector<float> factors = use->weights;
    for (float& factor : factors) factor *= each.scale;
    result = add_columns_in_place(result, scaled_rows(more, factors), use->rows, 0);
  }
  return result;
}

Tensor difference(const Tensor& a, const Tensor& b, float added) {
  CHECK(a.size() == b.size(), a.shape(), " less ", b.shape());
  Tensor y = Tensor::empty(a.shape());
  for (int64_t i = 0; i < y.size(); ++i) y.f32()[i] = (a.f32()[i] + added) - b.f32()[i];
  if (!recording({a})) return y;
  record("difference", {a}, y, [](const Tensor& dy, Grads& grads) { grads.give(0, dy); });
  return y;
}

Tensor converted(const Tensor& x, DType dtype) {
  if (x.dtype() == dtype) return x;
  Tensor y = x.to(dtype);
  if (!recording({x})) return y;
  record("converted", {x}, y,
         [](const Tensor& dy, Grads& grads) { grads.give(0, dy.to(DType::f32)); });
  return y;
}

}  // namespace malssi
