#include "kernels/panel_product.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/cpu/features.h"
#include "kernels/cpu/scratch.h"
#include "kernels/panel/interleave.h"
#include "kernels/panel/tables.h"

namespace malssi {
namespace panel {

const Kernels& kernels() {
  static const Kernels& chosen = [&]() -> const Kernels& {
    const CpuFeatures& cpu = cpu_features();
    if (cpu.avx512_vnni) return cpu.avx512_bf16 ? avx512_bf16_kernels() : avx512_kernels();
    if (cpu.avx_vnni) return avx_vnni_kernels();
    return cpu.avx2 ? avx2_kernels() : scalar_kernels();
  }();
  return chosen;
}

}  // namespace panel

namespace {

using namespace panel;

// What x must become for a weight's dtype.
enum class Compute { int8, bf16, f32 };

Compute compute_of(DType dtype) {
  if (is_block_format(dtype)) return Compute::int8;
  return dtype == DType::bf16 && panel::kernels().has_bf16 ? Compute::bf16 : Compute::f32;
}

// x in the forms that the parts want; each is made once.
class Activations {
 public:
  Activations(ConstBuffer x, int64_t M, int64_t K, std::span<const WeightRows> parts) : K(K) {
    bool wants[3] = {};
    for (const WeightRows& part : parts) wants[static_cast<int>(compute_of(part.dtype))] = true;
    const bool wants_float = wants[0] || wants[2];
    if (x.dtype == DType::f32) {
      floats = static_cast<const float*>(x.data);
    } else if (wants_float) {
      float* wide = scratch_.take<float>(M * K);
      rows(M, [&](int64_t begin, int64_t end) {
        malssi::kernels().bf16_to_f32(static_cast<const bf16*>(x.data) + begin * K,
                                      wide + begin * K, (end - begin) * K);
      });
      floats = wide;
    }
    if (wants[1]) make_halves(x, M);
    if (wants[0]) make_bytes(M);
  }

  const int64_t K;
  const float* floats = nullptr;
  const bf16* halves = nullptr;
  Int8Rows bytes;

 private:
  template <class Body>
  void rows(int64_t M, Body&& body) const {
    parallel_for(M, std::max<int64_t>(1, 4096 / K), body);
  }

  void make_halves(ConstBuffer x, int64_t M) {
    if (x.dtype == DType::bf16) {
      halves = static_cast<const bf16*>(x.data);
      return;
    }
    bf16* const to = scratch_.take<bf16>(M * K);
    rows(M, [&](int64_t begin, int64_t end) {
      malssi::kernels().f32_to_bf16(floats + begin * K, to + begin * K, (end - begin) * K);
    });
    halves = to;
  }

  void make_bytes(int64_t M) {
    const int64_t groups = M * K / 32;
    const Int8RowsOut out{scratch_.take<int8_t>(M * K + 64), scratch_.take<float>(groups),
                          scratch_.take<int32_t>(groups),    scratch_.take<int32_t>(groups * 2),
                          scratch_.take<float>(groups),      scratch_.take<float>(groups * 2)};
    rows(M, [&](int64_t begin, int64_t end) {
      const int64_t at = begin * K / 32;
      panel::kernels().to_int8(floats + begin * K, (end - begin) * K,
                               {out.q + begin * K, out.scale + at, out.offset32 + at,
                                out.offset16 + 2 * at, out.sum32 + at, out.sum16 + 2 * at});
    });
    bytes = {out.q, out.scale, out.offset32, out.offset16, out.sum32, out.sum16, K};
  }

  Scratch scratch_;
};

// What a thread works with.
struct Workspace {
  Int8Panel panel;
  uint8_t interleaved[kRows * kInt8Chunk / 32 * 34];  // of the widest format
};

// Where the 32 rows from `first` on begin; the last stands in for those that are not there.
struct RowPointers {
  const uint8_t* at[kRows];
  RowPointers(const WeightRows& part, int64_t first, int64_t row_bytes) {
    for (int64_t r = 0; r < kRows; ++r)
      at[r] =
          static_cast<const uint8_t*>(part.data) + std::min(first + r, part.rows - 1) * row_bytes;
  }
  void advance(int64_t bytes) {
    for (const uint8_t*& row : at) row += bytes;
  }
};

// Of some tokens, little is computed for each byte: small chunks then let reading, unpacking and multiplying overlap.
int64_t chunk_columns(DTypeBlock block, int64_t M) {
  return M > 8 ? kInt8Chunk : std::max<int64_t>(block.elements, 128);
}

// sums [M, 32] of one panel of a block format: all chunks of its columns.
void int8_panel_sums(const WeightRows& part, int64_t first, const Activations& x, int64_t M,
                     Workspace& work, float* sums) {
  const Kernels& k = panel::kernels();
  const DTypeBlock block = dtype_block(part.dtype);
  const int64_t row_bytes = x.K / block.elements * block.bytes;
  const bool in_panels = part.layout == WeightLayout::panels;
  const auto* chunk = static_cast<const uint8_t*>(part.data) + first * row_bytes;
  const uint8_t* const end =
      static_cast<const uint8_t*>(part.data) + (part.rows + kRows - 1) / kRows * kRows * row_bytes;
  constexpr int64_t kDistance = 16384;  // read in order, memory is best asked for shortly before
  const auto ahead_from = [&](int64_t bytes) { return std::min(chunk + bytes, end); };
  Ahead ahead = in_panels ? Ahead(ahead_from(kDistance), ahead_from(kDistance + kRows * row_bytes))
                          : Ahead(nullptr, nullptr);
  // Of few tokens unpacking is half of the work, and of the asking for memory; of more the sums have time for it all.
  Ahead none(nullptr, nullptr);
  const bool shares = unpacks(part.dtype) && M <= 8;
  RowPointers rows(part, first, row_bytes);
  const int64_t step = chunk_columns(block, M);
  for (int64_t c = 0; c < x.K; c += step) {
    const int64_t columns = std::min(step, x.K - c);
    const int64_t blocks = columns / block.elements, bytes = kRows * blocks * block.bytes;
    if (!in_panels) interleave(part.dtype, rows.at, blocks, work.interleaved);
    k.unpack_int8(part.dtype, in_panels ? chunk : work.interleaved, columns, shares ? ahead : none,
                  work.panel);
    k.int8_sums(work.panel, int8_layout(part.dtype), x.bytes.from(0, c), M, columns,
                shares ? bytes / 2 : bytes, ahead, sums);
    chunk += bytes;
    rows.advance(bytes / kRows);
  }
}

// The same of dense rows.
void dense_panel_sums(const WeightRows& part, int64_t first, const Activations& x, int64_t M,
                      float* sums) {
  const Kernels& k = panel::kernels();
  const int64_t size = dtype_size(part.dtype), row_bytes = x.K * size;
  const auto* const data = static_cast<const uint8_t*>(part.data);
  const auto* const start = data + first * row_bytes + 16384;
  const auto* const end = data + part.rows * row_bytes;
  Ahead ahead(std::min(start, end), std::min(start + kRows * row_bytes, end));
  RowPointers rows(part, first, row_bytes);
  for (int64_t c = 0; c < x.K; c += kDenseChunk) {
    const int64_t columns = std::min(kDenseChunk, x.K - c);
    if (compute_of(part.dtype) == Compute::bf16)
      k.bf16_sums(rows.at, x.halves + c, x.K, M, columns, ahead, sums);
    else
      k.float_sums(part.dtype, rows.at, x.floats + c, x.K, M, columns, ahead, sums);
    rows.advance(columns * size);
  }
}

void panel_sums(const WeightRows& part, int64_t first, const Activations& x, int64_t M,
                Workspace& work, float* sums) {
  std::memset(sums, 0, static_cast<size_t>(M * kRows) * sizeof(float));
  if (compute_of(part.dtype) == Compute::int8)
    int8_panel_sums(part, first, x, M, work, sums);
  else
    dense_panel_sums(part, first, x, M, sums);
}

// Columns first .. first + count - 1 of y.
void put(const float* sums, const float* bias, Buffer y, int64_t M, int64_t N, int64_t first,
         int64_t count) {
  for (int64_t m = 0; m < M; ++m, sums += kRows) {
    float narrow[kRows];
    float* const row = y.dtype == DType::f32 ? static_cast<float*>(y.data) + m * N + first : narrow;
    if (count == kRows && bias == nullptr)  // mostly; of a length that the compiler knows
      std::memcpy(row, sums, kRows * sizeof(float));
    else
      for (int64_t i = 0; i < count; ++i)
        row[i] = sums[i] + (bias != nullptr ? bias[first + i] : 0);
    if (y.dtype != DType::f32)
      malssi::kernels().f32_to_bf16(row, static_cast<bf16*>(y.data) + m * N + first, count);
  }
}

// Hands out 0 .. total - 1 in runs that become shorter towards the end: a thread's weights are one stream through memory,
// and all threads end together.
class Runs {
 public:
  Runs(int64_t total, int64_t threads) : total_(total), share_(2 * threads) {}
  struct Run {
    int64_t begin, end;
  };
  Run next() {
    int64_t begin = next_.load();
    while (true) {
      const int64_t end = std::min(total_, begin + std::max<int64_t>(1, (total_ - begin) / share_));
      if (next_.compare_exchange_weak(begin, end)) return {begin, end};
    }
  }

 private:
  const int64_t total_, share_;
  std::atomic<int64_t> next_ = 0;
};

struct Task {
  int64_t part, first, column;  // which panel, and where its results go
};

}  // namespace

void panel_product(ConstBuffer x, std::span<const WeightRows> parts, const float* bias, Buffer y,
                   int64_t M, int64_t K) {
  int64_t N = 0, panels = 0;
  for (const WeightRows& part : parts) {
    N += part.rows;
    panels += (part.rows + kRows - 1) / kRows;
  }
  if (M == 0 || N == 0) return;
  const Activations activations(x, M, K, parts);
  Scratch scratch;
  Task* const tasks = scratch.take<Task>(panels);
  int64_t column = 0, count = 0;
  for (size_t p = 0; p < parts.size(); ++p) {
    for (int64_t first = 0; first < parts[p].rows; first += kRows)
      tasks[count++] = {static_cast<int64_t>(p), first, column + first};
    column += parts[p].rows;
  }
  const int64_t threads = std::min<int64_t>(thread_count(), panels);
  Runs runs(panels, threads);
  const auto work = [&](int64_t, int64_t) {
    Scratch mine;
    Workspace* const space = mine.take<Workspace>(1);
    float* const sums = mine.take<float>(M * kRows);
    for (Runs::Run run = runs.next(); run.begin < run.end; run = runs.next())
      for (int64_t i = run.begin; i < run.end; ++i) {
        const Task& task = tasks[i];
        const WeightRows& part = parts[static_cast<size_t>(task.part)];
        panel_sums(part, task.first, activations, M, *space, sums);
        put(sums, bias, y, M, N, task.column, std::min(kRows, part.rows - task.first));
      }
  };
  parallel_for(threads, 1, work);
}

}  // namespace malssi
