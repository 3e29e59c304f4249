// A vector for each sequence: what a classifier looks at. Encoders gather a text in its first token (Devlin et al. 2019),
// decoders in its last (Radford et al. 2018); the mean of all tokens holds each word's own part, too (Howard, Ruder 2018).
#pragma once

#include <span>

#include "tensor/tensor.h"

namespace malssi {

enum class SequencePlace { first, last };

// h [N, D] f32 or bf16, starts: begins of the S sequences, then N -> [S, D] in f32. Throws Error where the shapes do not fit
// together or a sequence is empty.
Tensor sequence_rows(const Tensor& h, std::span<const int32_t> starts, SequencePlace place);
// The same of all a sequence's tokens: their mean.
Tensor sequence_means(const Tensor& h, std::span<const int32_t> starts);

// Elementwise, x f32.
Tensor tanh(const Tensor& x);

}  // namespace malssi
