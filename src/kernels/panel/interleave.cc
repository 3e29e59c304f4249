#include "kernels/panel/interleave.h"

#include <algorithm>
#include <cstring>

#include "base/parallel.h"
#include "kernels/panel/panel.h"
#include "kernels/panel_product.h"

namespace malssi {
namespace panel {
namespace {

static_assert(kRows == kPanelRows);

// What a block is made of, in its order.
struct Fields {
  int64_t bytes = 0, halves = 0, words = 0, last_halves = 0;
};

Fields fields_of(DType dtype) {
  switch (dtype) {
    case DType::q8_0:
    case DType::nf4:
      return {.halves = 1, .words = 8};
    case DType::q4_0:
    case DType::iq4_nl:
      return {.halves = 1, .words = 4};
    case DType::q4_1:
      return {.halves = 2, .words = 4};
    case DType::q5_0:
      return {.halves = 1, .words = 5};
    case DType::q5_1:
      return {.halves = 2, .words = 5};
    case DType::q2_k:
      return {.words = 20, .last_halves = 2};
    case DType::q3_k:
      return {.words = 27, .last_halves = 1};
    case DType::q4_k:
      return {.halves = 2, .words = 35};
    case DType::q5_k:
      return {.halves = 2, .words = 43};
    case DType::q6_k:
      return {.words = 52, .last_halves = 1};
    default:  // mxfp4
      return {.bytes = 1, .words = 4};
  }
}

// The next numbers of each row, changed by `flip`.
template <class Number>
void spread(const uint8_t* const* rows, int64_t& at, int64_t count, Number flip, uint8_t*& to) {
  for (int64_t i = 0; i < count; ++i, at += static_cast<int64_t>(sizeof(Number)))
    for (int64_t r = 0; r < kRows; ++r, to += sizeof(Number)) {
      Number number;
      std::memcpy(&number, rows[r] + at, sizeof(Number));
      number = static_cast<Number>(number ^ flip);
      std::memcpy(to, &number, sizeof(Number));
    }
}

template <class Number>
void collect(const uint8_t*& from, int64_t& at, int64_t count, Number flip, uint8_t* const* rows) {
  for (int64_t i = 0; i < count; ++i, at += static_cast<int64_t>(sizeof(Number)))
    for (int64_t r = 0; r < kRows; ++r, from += sizeof(Number)) {
      Number number;
      std::memcpy(&number, from, sizeof(Number));
      number = static_cast<Number>(number ^ flip);
      std::memcpy(rows[r] + at, &number, sizeof(Number));
    }
}

template <class Number>
void collect_row(const uint8_t*& from, int64_t row, int64_t count, Number flip, uint8_t*& to) {
  for (int64_t i = 0; i < count; ++i, to += sizeof(Number)) {
    Number number;
    std::memcpy(&number, from + (i * kRows + row) * static_cast<int64_t>(sizeof(Number)),
                sizeof(Number));
    number = static_cast<Number>(number ^ flip);
    std::memcpy(to, &number, sizeof(Number));
  }
  from += count * kRows * static_cast<int64_t>(sizeof(Number));
}

constexpr uint32_t flip_of(DType dtype) { return dtype == DType::q8_0 ? 0x80808080 : 0; }

}  // namespace

void interleave(DType dtype, const uint8_t* const* rows, int64_t blocks, uint8_t* to) {
  const Fields fields = fields_of(dtype);
  const uint32_t flip = flip_of(dtype);
  int64_t at = 0;
  for (int64_t b = 0; b < blocks; ++b) {
    spread<uint8_t>(rows, at, fields.bytes, 0, to);
    spread<uint16_t>(rows, at, fields.halves, 0, to);
    spread<uint32_t>(rows, at, fields.words, flip, to);
    spread<uint16_t>(rows, at, fields.last_halves, 0, to);
  }
}

void deinterleave(DType dtype, const uint8_t* from, int64_t blocks, uint8_t* const* rows) {
  const Fields fields = fields_of(dtype);
  int64_t at = 0;
  for (int64_t b = 0; b < blocks; ++b) {
    collect<uint8_t>(from, at, fields.bytes, 0, rows);
    collect<uint16_t>(from, at, fields.halves, 0, rows);
    collect<uint32_t>(from, at, fields.words, flip_of(dtype), rows);
    collect<uint16_t>(from, at, fields.last_halves, 0, rows);
  }
}

void deinterleave_row(DType dtype, const uint8_t* from, int64_t blocks, int64_t row, uint8_t* to) {
  const Fields fields = fields_of(dtype);
  for (int64_t b = 0; b < blocks; ++b) {
    collect_row<uint8_t>(from, row, fields.bytes, 0, to);
    collect_row<uint16_t>(from, row, fields.halves, 0, to);
    collect_row<uint32_t>(from, row, fields.words, flip_of(dtype), to);
    collect_row<uint16_t>(from, row, fields.last_halves, 0, to);
  }
}

}  // namespace panel

int64_t panel_bytes(DType dtype, int64_t rows, int64_t columns) {
  return (rows + panel::kRows - 1) / panel::kRows * panel::kRows * dtype_bytes(dtype, columns);
}

void to_panels(DType dtype, const void* from, int64_t rows, int64_t columns, void* to) {
  using panel::kRows;
  const int64_t row_bytes = dtype_bytes(dtype, columns);
  const int64_t blocks = columns / dtype_block(dtype).elements;
  parallel_for((rows + kRows - 1) / kRows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      const uint8_t* lines[kRows];
      for (int64_t r = 0; r < kRows; ++r)
        lines[r] =
            static_cast<const uint8_t*>(from) + std::min(p * kRows + r, rows - 1) * row_bytes;
      panel::interleave(dtype, lines, blocks, static_cast<uint8_t*>(to) + p * kRows * row_bytes);
    }
  });
}

void from_panel(DType dtype, const void* panels, int64_t panel, int64_t columns, void* to) {
  using panel::kRows;
  const int64_t row_bytes = dtype_bytes(dtype, columns);
  uint8_t* lines[kRows];
  for (int64_t r = 0; r < kRows; ++r) lines[r] = static_cast<uint8_t*>(to) + r * row_bytes;
  panel::deinterleave(dtype, static_cast<const uint8_t*>(panels) + panel * kRows * row_bytes,
                      columns / dtype_block(dtype).elements, lines);
}

void row_of_panels(DType dtype, const void* panels, int64_t row, int64_t columns, void* to) {
  using panel::kRows;
  const int64_t panel_size = kRows * dtype_bytes(dtype, columns);
  panel::deinterleave_row(dtype, static_cast<const uint8_t*>(panels) + row / kRows * panel_size,
                          columns / dtype_block(dtype).elements, row % kRows,
                          static_cast<uint8_t*>(to));
}

}  // namespace malssi
