#include "ops/attention.h"

#include <cmath>
#include <memory>
#include <vector>

#include "kernels/table.h"
#include "tensor/tape.h"

namespace malssi {

float AttentionHeads::score_scale() const {
  return scale != 0 ? scale : 1 / std::sqrt(static_cast<float>(head_dim));
}

Tensor attention(const Tensor& qkv, std::span<const int32_t> starts, const AttentionHeads& heads,
                 const AttentionOptions& options) {
  const int64_t width = (heads.heads + 2 * heads.kv_heads) * heads.head_dim;
  REQUIRE(qkv.shape().rank() == 2 && qkv.dim(1) == width, "attention: qkv ", qkv.shape(),
          " does not hold ", heads.heads, " query and ", heads.kv_heads, " key/value heads of ",
          heads.head_dim);
  const int64_t N = qkv.dim(0);
  CHECK(starts.size() >= 2 && starts.front() == 0 && starts.back() == N);
  const auto kept = std::make_shared<std::vector<int32_t>>(starts.begin(), starts.end());
  const AttentionProblem problem{.heads = heads.heads,
                                 .kv_heads = heads.kv_heads,
                                 .head_dim = heads.head_dim,
                                 .starts = kept->data(),
                                 .sequences = static_cast<int64_t>(kept->size()) - 1,
                                 .scale = heads.score_scale(),
                                 .dropout = {options.dropout.rate, options.dropout.seed},
                                 .dtype = qkv.dtype(),
                                 .mask = options.mask,
                                 .window = options.window,
                                 .softcap = options.softcap};
  Tensor y = Tensor::empty({N, heads.heads * heads.head_dim}, qkv.dtype());
  const Tensor lse = Tensor::empty({heads.heads, N});
  kernels().attention(problem, qkv.data(), y.data(), lse.f32());
  if (!recording({qkv})) return y;
  Tensor out = y;  // without the slot, so that the node does not keep itself alive
  record("attention", {qkv}, y, [kept, problem, qkv, out, lse](const Tensor& dy, Grads& grads) {
    const Tensor dqkv = Tensor::empty(qkv.shape(), qkv.dtype());
    kernels().attention_backward(problem, qkv.data(), out.data(), dy.data(), lse.f32(),
                                 dqkv.data());
    grads.give(0, dqkv);
  });
  return y;
}

}  // namespace malssi
