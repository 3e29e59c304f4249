// A tensor that is loaded when it is written, so that models larger than memory can be converted.
#pragma once

#include <functional>
#include <string>

#include "tensor/tensor.h"

namespace malssi {

struct LazyTensor {
  std::string name;
  Shape shape = {};
  DType dtype = DType::f32;           // of what load() gives
  std::function<Tensor()> load = {};  // called once, from the thread that writes
};

// f32 numbers in another dtype; importance [columns] may be null. Error: a number that the dtype cannot hold; `name` is the
// tensor's.
Tensor from_f32(const Tensor& numbers, DType dtype, const float* importance, std::string_view name);

}  // namespace malssi
