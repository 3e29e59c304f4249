// The largest singular values of a matrix and their vectors, by random projection with power iterations: a few products with the
// matrix in place of its whole decomposition (Halko, Martinsson, Tropp 2011, algorithms 4.4 and 5.1).
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/tensor.h"

namespace malssi {

struct PrincipalParts {
  Tensor left;                // f32 [count, rows]: unit vectors, orthogonal
  std::vector<float> values;  // descending
  Tensor right;               // f32 [count, columns]
};

// w f32 [rows, columns]; count at most the smaller of both (CHECK). The same seed gives the same numbers. No gradient.
PrincipalParts principal_parts(const Tensor& w, int64_t count, uint64_t seed);

}  // namespace malssi
