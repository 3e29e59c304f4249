#include <algorithm>

#include "base/error.h"
#include "kernels/cpu/scratch.h"
#include "kernels/panel/panel.h"
#include "kernels/panel_product.h"

namespace malssi {

bool widens_panels() { return panel::kernels().widen != nullptr; }

void widen_panel(DType dtype, const void* panels, int64_t panel, int64_t columns, bf16* to,
                 int64_t stride) {
  CHECK(widens_panels(), "panels are not widened here");
  const int64_t panel_size = kPanelRows * dtype_bytes(dtype, columns);
  const auto* chunk = static_cast<const uint8_t*>(panels) + panel * panel_size;
  Scratch scratch;
  auto* const space = scratch.take<panel::Int8Panel>(1);
  for (int64_t c = 0; c < columns; c += panel::kInt8Chunk) {
    const int64_t count = std::min(panel::kInt8Chunk, columns - c);
    panel::kernels().widen(dtype, chunk, count, *space, to + c * stride, stride);
    chunk += kPanelRows * dtype_bytes(dtype, count);
  }
}

}  // namespace malssi
