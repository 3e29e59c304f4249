#include "ops/embedding.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "kernels/panel_product.h"
#include "kernels/table.h"
#include "ops/residual.h"
#include "quant/widen.h"
#include "tensor/tape.h"

namespace malssi {
namespace {

using Ids = std::shared_ptr<std::vector<int32_t>>;

void check_ids(const char* what, std::span<const int32_t> ids, int64_t rows) {
  for (int32_t id : ids)
    REQUIRE(id >= 0 && id < rows, "embedding: ", what, " ", id, " is outside the table of ", rows,
            " rows");
}

void scatter(const Tensor& dy, const Ids& ids, const GradSink& sink) {
  if (!sink.target) return;
  if (sink.beta == 0) sink.target.fill(0);
  kernels().embed_backward(dy.f32(), ids->data(), sink.target.f32(), dy.dim(0), dy.dim(1));
}

// Rows of a table as a file holds it, or in panels.
void look_up(const Tensor& table, std::span<const int32_t> ids, const Tensor& y) {
  CHECK(!table.wants_grad(), "a table of ", dtype_name(table.dtype()), " is not trained");
  const int64_t D = table.dim(1);
  const bool is_in_panels = table.layout() == WeightLayout::panels;
  std::vector<uint8_t> row(static_cast<size_t>(is_in_panels ? dtype_bytes(table.dtype(), D) : 0));
  for (size_t n = 0; n < ids.size(); ++n) {
    if (is_in_panels) row_of_panels(table.dtype(), table.data(), ids[n], D, row.data());
    widen_rows(table.dtype(), is_in_panels ? row.data() : table.rows(ids[n], ids[n] + 1).data(),
               y.f32() + static_cast<int64_t>(n) * D, 1, D);
  }
}

}  // namespace

Tensor embedding(const Tensor& table, std::span<const int32_t> ids) {
  return embedding(table, ids, Tensor(), {});
}

Tensor embedding(const Tensor& table, std::span<const int32_t> ids, const Tensor& position_table,
                 std::span<const int32_t> positions) {
  check_ids("token", ids, table.dim(0));
  if (position_table) {
    REQUIRE(positions.size() == ids.size() && position_table.dim(1) == table.dim(1),
            "embedding: ", positions.size(), " positions for ", ids.size(), " tokens, tables ",
            table.shape(), " and ", position_table.shape());
    check_ids("position", positions, position_table.dim(0));
  }
  const auto N = static_cast<int64_t>(ids.size());
  Tensor y = Tensor::empty({N, table.dim(1)});
  if (table.dtype() != DType::f32 && table.dtype() != DType::bf16) {
    look_up(table, ids, y);
    if (position_table) y = residual_add(y, embedding(position_table, positions));
    return y;
  }
  kernels().embed({table.data(), table.dtype()}, ids.data(),
                  {position_table.data(), position_table.dtype()}, positions.data(), y.f32(), N,
                  table.dim(1));
  if (!recording({table, position_table})) return y;
  const auto kept_ids = std::make_shared<std::vector<int32_t>>(ids.begin(), ids.end());
  const auto kept_positions =
      std::make_shared<std::vector<int32_t>>(positions.begin(), positions.end());
  record("embedding", {table, position_table}, y,
         [kept_ids, kept_positions](const Tensor& dy, Grads& grads) {
           scatter(dy, kept_ids, grads.into(0));
           scatter(dy, kept_positions, grads.into(1));
         });
  return y;
}

}  // namespace malssi
