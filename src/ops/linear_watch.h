// LinearWatch: while it lives, this thread's linear layers show it what they multiply, outside of training: how important each
// column of a weight is can be learned so.
#pragma once

#include <functional>
#include <span>

#include "tensor/tensor.h"

namespace malssi {

class LinearWatch {
 public:
  // x [.., K]; weights [N, K], one below the other.
  using See = std::function<void(const Tensor& x, std::span<const Tensor> weights)>;

  explicit LinearWatch(See see);
  ~LinearWatch();
  LinearWatch(const LinearWatch&) = delete;
  LinearWatch& operator=(const LinearWatch&) = delete;

  // Called by linear().
  static void show(const Tensor& x, std::span<const Tensor> weights);

 private:
  See see_;
  LinearWatch* previous_;
};

}  // namespace malssi
