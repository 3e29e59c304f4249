// A tensor that is loaded when it is written, so that models larger than memory can be converted.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "tensor/tensor.h"

namespace malssi {

struct LazyTensor {
  std::string name;
  Shape shape = {};
  DType dtype = DType::f32;           // of what load() gives
  std::function<Tensor()> load = {};  // called once, from the thread that writes
};

// One that is there already.
LazyTensor lazily(std::string name, const Tensor& tensor);

// f32 numbers in another dtype. importance: none, [columns], or for stacked matrices [matrices, columns]. Error: a number that
// the dtype cannot hold; `name` is the tensor's.
Tensor from_f32(const Tensor& numbers, DType dtype, std::span<const float> importance,
                std::string_view name);

}  // namespace malssi
