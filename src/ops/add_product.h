// y += x w^T in place, on some columns of y: the last step of a low-rank adapter where all rows use it, without the product in
// memory.
#pragma once

#include <cstdint>

#include "tensor/tensor.h"

namespace malssi {

// y [N, D] f32 or bf16; y[n, first + j] += sum over r of x[n, r] w[j, r], IN PLACE: y itself must not be used afterwards, only the
// result. x f32 [N, R], w [rows, R] of y's dtype, in whose precision both are multiplied. Throws InternalError where the shapes
// do not fit.
Tensor add_product_in_place(const Tensor& y, const Tensor& x, const Tensor& w, int64_t first);

}  // namespace malssi
