// How files lay the same weights out differently.
#pragma once

#include "tensor/tensor.h"

namespace malssi {

// f32 [rows, columns] -> [columns, rows].
Tensor transposed(const Tensor& weight);

// Rotary positions turn pairs of a head's rows. Hugging Face's Llama pairs row i with i + half a head, llama2.c and GGUF's
// "llama" row 2 i with 2 i + 1. weight: of any dtype,
// [heads * size, columns] or [heads * size].
Tensor halves_from_pairs(const Tensor& weight, int64_t heads);
Tensor pairs_from_halves(const Tensor& weight, int64_t heads);

}  // namespace malssi
