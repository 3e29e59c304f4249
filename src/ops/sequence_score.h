// A number for each sequence: what a value head makes of its last token.
#pragma once

#include <span>

#include "tensor/tensor.h"

namespace malssi {

// h [N, D], w [1, D] of h's dtype (or f32), starts: begins of the S sequences, then N -> [S] in f32: h of each sequence's last
// token times w. Throws Error where the shapes do not fit together.
Tensor sequence_scores(const Tensor& h, const Tensor& w, std::span<const int32_t> starts);

}  // namespace malssi
