#include "ops/embedding.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "kernels/table.h"
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
