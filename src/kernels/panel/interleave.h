// Block formats by panels: 32 rows of one block's columns lie together, the same bytes in another order: what a block holds one
// after the other, each for all 32 rows: its halves (2 bytes a row), then its words (4 bytes a row), or the other way round.
// Vectors over rows are so read as they lie. The numbers of q8_0 have 128 added, which makes them unsigned.
#pragma once

#include <cstdint>

#include "kernels/dtype.h"

namespace malssi::panel {

// rows: where each of 32 rows' first block begins; writes 32 times the blocks' bytes.
void interleave(DType dtype, const uint8_t* const* rows, int64_t blocks, uint8_t* to);
// The way back: from what interleave() wrote to each row's blocks.
void deinterleave(DType dtype, const uint8_t* from, int64_t blocks, uint8_t* const* rows);
// Of one row, 0 .. 31, alone.
void deinterleave_row(DType dtype, const uint8_t* from, int64_t blocks, int64_t row, uint8_t* to);

}  // namespace malssi::panel
