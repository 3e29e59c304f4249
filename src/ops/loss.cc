#include "ops/loss.h"

#include <algorithm>

#include "kernels/gemm.h"
#include "kernels/table.h"
#include "tensor/tape.h"

namespace malssi {
namespace {

constexpr int64_t kLogitsAtOnce = int64_t{4} << 20;  // 16 MiB of f32

ConstBuffer in(const Tensor& t) { return {t.data(), t.dtype()}; }
Buffer out(const Tensor& t) { return {t.data(), t.dtype()}; }

// As many rows as fit; all chunks but the last alike, so that few products are prepared.
int64_t chunk_rows(int64_t N, int64_t V) {
  const int64_t most = std::max<int64_t>(32, kLogitsAtOnce / V / 32 * 32);
  return std::min(N, most);
}

}  // namespace

Tensor lm_loss(const Tensor& h, const Tensor& w, std::span<const int32_t> targets,
               std::span<const float> weights, float scale, std::vector<float>* token_losses) {
  const int64_t N = h.dim(0), D = h.dim(1), V = w.dim(0);
  REQUIRE(w.dim(1) == D && static_cast<int64_t>(targets.size()) == N &&
              static_cast<int64_t>(weights.size()) == N,
          "lm_loss: h ", h.shape(), ", weight ", w.shape(), ", ", targets.size(), " targets and ",
          weights.size(), " weights do not fit together");
  for (int32_t t : targets)
    REQUIRE(t < V, "lm_loss: target ", t, " is outside the vocabulary of ", V);
  const Tensor x = h.to(w.dtype());
  const bool train = recording({h, w});
  const int64_t rows = chunk_rows(N, V);
  const Tensor logits = Tensor::empty({rows, V});
  const Tensor dlogits = train ? Tensor::empty({rows, V}, w.dtype()) : Tensor();
  const Tensor dh = train ? Tensor::empty({N, D}, h.dtype()) : Tensor();
  GradSink dw;
  if (train && w.wants_grad()) dw = Grads({w.slot()}).into(0);
  std::vector<float> losses(static_cast<size_t>(N));
  for (int64_t begin = 0; begin < N; begin += rows) {
    const int64_t count = std::min(rows, N - begin);
    const Tensor part = x.rows(begin, begin + count);
    gemm(in(part), in(w), out(logits), count, V, D, {.transpose_b = true});
    kernels().cross_entropy(logits.f32(), targets.data() + begin, weights.data() + begin, scale,
                            losses.data() + begin, {dlogits.data(), dlogits.dtype()}, count, V);
    if (!train) continue;
    gemm(in(dlogits), in(w), out(dh.rows(begin, begin + count)), count, D, V);
    if (dw.target)
      gemm(in(dlogits), in(part), out(dw.target), V, D, count,
           {.transpose_a = true, .beta = begin > 0 ? 1 : dw.beta});
  }
  double sum = 0;
  for (float loss : losses) sum += loss;
  if (token_losses != nullptr) *token_losses = std::move(losses);
  Tensor result = Tensor::full({1}, static_cast<float>(sum * scale));
  if (!train) return result;
  record("lm_loss", {h, w}, result, [dh](const Tensor& seed, Grads& grads) {
    CHECK(seed.f32()[0] == 1.0f, "lm_loss: its gradients were computed for a seed of 1");
    grads.give(0, dh);
  });
  return result;
}

}  // namespace malssi
