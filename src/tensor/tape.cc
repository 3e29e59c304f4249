#include "tensor/tape.h"

#include <algorithm>
#include <utility>

#include "kernels/table.h"

namespace malssi {
namespace {
thread_local Tape* current_tape = nullptr;
}

Tape::Tape() : previous_(current_tape) { current_tape = this; }
Tape::~Tape() { current_tape = previous_; }
Tape* Tape::current() { return current_tape; }

NoTape::NoTape() : previous_(current_tape) { current_tape = nullptr; }
NoTape::~NoTape() { current_tape = previous_; }

GradSink Grads::into(size_t input) const {
  GradSlot* slot = slots_[input].get();
  if (slot == nullptr) return {};
  if (!slot->grad.defined()) slot->grad = Tensor::empty(slot->shape, slot->dtype);
  return {slot->grad, std::exchange(slot->written, true) ? 1.0f : 0.0f};
}

void Grads::give(size_t input, const Tensor& gradient) const {
  GradSlot* slot = slots_[input].get();
  if (slot == nullptr) return;
  CHECK(gradient.size() == slot->shape.size(), "a gradient of ", gradient.shape(),
        " for a tensor of ", slot->shape);
  if (!slot->written && gradient.dtype() == slot->dtype && !slot->grad.defined()) {
    slot->grad = gradient;
    slot->written = true;
    return;
  }
  const auto [target, beta] = into(input);
  if (beta == 0) {
    target.copy_from(gradient);
  } else {
    kernels().add_into(target.data(), target.dtype(), gradient.data(), gradient.dtype(),
                       target.size());
  }
}

bool recording(std::initializer_list<Tensor> inputs) {
  return current_tape != nullptr &&
         std::any_of(inputs.begin(), inputs.end(), [](const Tensor& t) { return t.wants_grad(); });
}

void record(std::string_view name, std::initializer_list<Tensor> inputs, Tensor& output,
            Backward backward) {
  if (!recording(inputs)) return;
  auto slot = std::make_shared<GradSlot>();
  slot->shape = output.shape();
  slot->dtype = output.dtype();
  output.set_slot(slot);
  Tape::Node node{name, {}, std::move(slot), std::move(backward)};
  node.inputs.reserve(inputs.size());
  for (const Tensor& input : inputs) node.inputs.push_back(input.slot());
  current_tape->nodes_.push_back(std::move(node));
}

void Tape::backward(const Tensor& loss, float seed) {
  REQUIRE(loss.size() == 1 && loss.dtype() == DType::f32,
          "backward: the loss must be one f32 number, not ", dtype_name(loss.dtype()), " ",
          loss.shape());
  REQUIRE(loss.wants_grad(),
          "backward: the loss does not depend on anything that wants a gradient");
  backward_from(loss, Tensor::full({1}, seed));
}

void Tape::backward_from(const Tensor& result, const Tensor& gradient) {
  CHECK(result.wants_grad() && gradient.size() == result.size(), "a gradient of ", gradient.shape(),
        " for a result of ", result.shape());
  result.slot()->grad = gradient;
  result.slot()->written = true;
  NoTape pause;
  while (!nodes_.empty()) {
    Node node = std::move(nodes_.back());
    nodes_.pop_back();
    if (!node.output->written) continue;  // nothing downstream used it
    const Tensor dy = std::exchange(node.output->grad, Tensor());
    node.output->written = false;
    Grads grads(node.inputs);
    node.backward(dy, grads);
  }
}

}  // namespace malssi
