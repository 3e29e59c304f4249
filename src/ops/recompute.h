// Recomputation (gradient checkpointing; Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost"): what a part of a
// model computes on its way is not kept for the backward pass but computed again in it, from the part's input.
#pragma once

#include <functional>

#include "tensor/tensor.h"

namespace malssi {

// f(x), of which a recording Tape keeps x alone. f must give the same numbers each time, read no other tensor that comes from
// the tape, and stay valid until the backward pass; parameters in it get their gradients as ever, and all gradients are those
// of f(x) itself, to the bit. x f32.
Tensor recomputed(const Tensor& x, std::function<Tensor(const Tensor& x)> f);

}  // namespace malssi
