#include "ops/linear_watch.h"

#include <utility>

namespace malssi {

namespace {
thread_local LinearWatch* current_watch = nullptr;
}

LinearWatch::LinearWatch(See see) : see_(std::move(see)), previous_(current_watch) {
  current_watch = this;
}

LinearWatch::~LinearWatch() { current_watch = previous_; }

void LinearWatch::show(const Tensor& x, std::span<const Tensor> weights) {
  if (current_watch != nullptr) current_watch->see_(x, weights);
}

}  // namespace malssi
