#include "quant/formats.h"

#include "base/error.h"
#include "base/parallel.h"
#include "quant/format_list.h"

namespace malssi {
namespace {

constexpr const QuantFormat* kFormats[] = {&kQ8_0, &kQ4_0, &kQ4_1, &kQ5_0,  &kQ5_1,  &kQ2K, &kQ3K,
                                           &kQ4K,  &kQ5K,  &kQ6K,  &kIq4Nl, &kMxfp4, &kNf4};

// Rows that a thread takes at once: some ten thousand numbers.
int64_t grain(int64_t columns) { return 16384 / columns + 1; }

}  // namespace

const QuantFormat& quant_format(DType dtype) {
  for (const QuantFormat* format : kFormats)
    if (format->dtype == dtype) return *format;
  throw InternalError(concat(dtype_name(dtype), " is no block format"));
}

void pack_rows(const QuantFormat& format, const float* x, const float* importance, void* blocks,
               int64_t rows, int64_t columns) {
  const int64_t bytes = dtype_bytes(format.dtype, columns);
  parallel_for(rows, grain(columns), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row)
      format.pack(x + row * columns, importance, static_cast<char*>(blocks) + row * bytes, columns);
  });
}

void unpack_rows(const QuantFormat& format, const void* blocks, float* x, int64_t rows,
                 int64_t columns) {
  const int64_t bytes = dtype_bytes(format.dtype, columns);
  parallel_for(rows, grain(columns), [&](int64_t begin, int64_t end) {
    format.unpack(static_cast<const char*>(blocks) + begin * bytes, x + begin * columns,
                  (end - begin) * columns);
  });
}

}  // namespace malssi
