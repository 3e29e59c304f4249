// Tape: reverse-mode differentiation. While a Tape lives on a thread, operations whose inputs want
// gradients append a node with their backward; backward() runs the nodes last to first and frees
// each as it runs.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <vector>

#include "tensor/tensor.h"

namespace malssi {

// Where a tensor's gradient gathers. Of parameters it lives on, of intermediate results until their
// node has run.
struct GradSlot {
  Tensor grad;
  Shape shape;
  DType dtype = DType::f32;
  bool written = false;  // false: the next contribution overwrites
};

// A buffer for one contribution: target = beta * target + contribution.
struct GradSink {
  Tensor target;
  float beta = 0;
};

// What a backward sees of its inputs' gradients.
class Grads {
 public:
  explicit Grads(const std::vector<std::shared_ptr<GradSlot>>& slots) : slots_(slots) {}
  bool wants(size_t input) const { return slots_[input] != nullptr; }
  // The buffer for input's gradient, undefined when nobody wants it. Call once per contribution,
  // and write it.
  GradSink into(size_t input) const;
  // Passes a finished gradient on: without a copy where it is the first contribution. The tensor
  // must not be used after.
  void give(size_t input, const Tensor& gradient) const;

 private:
  const std::vector<std::shared_ptr<GradSlot>>& slots_;
};

using Backward = std::function<void(const Tensor& dy, Grads& grads)>;

class Tape {
 public:
  Tape();
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  static Tape* current();  // null when nothing is recorded
  // loss: one f32 number that came from this tape; its gradient is `seed`.
  void backward(const Tensor& loss, float seed = 1.0f);
  // The same from a result of any shape, whose gradient is known.
  void backward_from(const Tensor& result, const Tensor& gradient);
  int64_t size() const { return static_cast<int64_t>(nodes_.size()); }

 private:
  friend class NoTape;
  friend void record(std::string_view, std::initializer_list<Tensor>, Tensor&, Backward);
  struct Node {
    std::string_view name;
    std::vector<std::shared_ptr<GradSlot>> inputs;
    std::shared_ptr<GradSlot> output;
    Backward backward;
  };
  std::vector<Node> nodes_;
  Tape* previous_ = nullptr;
};

// While it lives, this thread records nothing.
class NoTape {
 public:
  NoTape();
  ~NoTape();

 private:
  Tape* previous_ = nullptr;
};

// True when an operation on these inputs must be recorded.
bool recording(std::initializer_list<Tensor> inputs);
// Appends a node and gives `output` its gradient slot, when recording(inputs). `name` must outlive
// the tape (a literal).
void record(std::string_view name, std::initializer_list<Tensor> inputs, Tensor& output,
            Backward backward);

}  // namespace malssi
