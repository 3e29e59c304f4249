#include "ops/loss.h"

#include <algorithm>

#include "kernels/gemm.h"
#include "kernels/panel_product.h"
#include "kernels/table.h"
#include "ops/frozen.h"
#include "tensor/tape.h"

namespace malssi {
namespace {

constexpr int64_t kLogitsAtOnce = int64_t{16} << 20;     // 64 MiB of f32
constexpr int64_t kGradientsAtOnce = int64_t{64} << 20;  // 128 MiB of bf16

ConstBuffer in(const Tensor& t) { return {t.data(), t.dtype()}; }
Buffer out(const Tensor& t) { return {t.data(), t.dtype()}; }

// Rows of a chunk, when a chunk may have `most` numbers: chunks as equal as whole multiples of 32 allow.
int64_t chunk_rows(int64_t N, int64_t V, int64_t most) {
  const int64_t chunks = std::max<int64_t>(1, (N * V + most - 1) / most);
  const int64_t rows = (N + chunks - 1) / chunks;
  return std::min(N, (rows + 31) / 32 * 32);
}

bool is_dense(const Tensor& w) { return w.dtype() == DType::f32 || w.dtype() == DType::bf16; }

// logits [x's rows, V] = x w^T; dense: w is f32 or bf16 and x of its dtype.
void output_layer(const Tensor& x, const Tensor& w, const Tensor& logits, bool dense) {
  const int64_t V = w.dim(0), D = w.dim(1);
  if (dense) return gemm(in(x), in(w), out(logits), x.dim(0), V, D, {.transpose_b = true});
  const WeightRows rows{w.data(), w.dtype(), V, w.layout()};
  panel_product(in(x), {&rows, 1}, nullptr, out(logits), x.dim(0), D);
}

}  // namespace

Tensor lm_loss(const Tensor& h, const Tensor& w, std::span<const int32_t> targets,
               std::span<const float> weights, float scale, std::vector<float>* token_losses,
               float softcap) {
  const int64_t N = h.dim(0), D = h.dim(1), V = w.dim(0);
  REQUIRE(w.dim(1) == D && static_cast<int64_t>(targets.size()) == N &&
              static_cast<int64_t>(weights.size()) == N,
          "lm_loss: h ", h.shape(), ", weight ", w.shape(), ", ", targets.size(), " targets and ",
          weights.size(), " weights do not fit together");
  for (int32_t t : targets)
    REQUIRE(t < V, "lm_loss: target ", t, " is outside the vocabulary of ", V);
  const bool train = recording({h, w});
  const bool dense = train && is_dense(w);
  CHECK(!train || dense || !w.wants_grad(), "lm_loss: a weight of ", dtype_name(w.dtype()));
  const Tensor x = dense ? h.to(w.dtype()) : h;
  // The gradient of the weight wants long sums, the logits in f32 little memory.
  const int64_t long_rows = chunk_rows(N, V, kGradientsAtOnce);
  const int64_t rows = chunk_rows(long_rows, V, kLogitsAtOnce);
  const Tensor logits = Tensor::empty({rows, V});
  const Tensor dlogits = train ? Tensor::empty({long_rows, V}, x.dtype()) : Tensor();
  const Tensor dh = train ? Tensor::empty({N, D}, h.dtype()) : Tensor();
  GradSink dw;
  if (train && w.wants_grad()) dw = Grads({w.slot()}).into(0);
  std::vector<float> losses(static_cast<size_t>(N));
  for (int64_t first = 0; first < N; first += long_rows) {
    const int64_t last = std::min(N, first + long_rows);
    for (int64_t begin = first; begin < last; begin += rows) {
      const int64_t end = std::min(begin + rows, last), count = end - begin;
      output_layer(x.rows(begin, end), w, logits, dense);
      if (softcap > 0) kernels().softcap(logits.f32(), softcap, count * V);
      const Tensor part = train ? dlogits.rows(begin - first, end - first) : Tensor();
      kernels().cross_entropy(logits.f32(), targets.data() + begin, weights.data() + begin, scale,
                              losses.data() + begin, {part.data(), part.dtype()}, count, V);
      if (train && softcap > 0)
        kernels().softcap_backward(logits.f32(), out(part), softcap, count * V);
      if (dense) gemm(in(part), in(w), out(dh.rows(begin, end)), count, D, V);
    }
    if (train && !dense)  // widened once for as many rows as there can be
      frozen_input_gradient(dlogits.rows(0, last - first), {&w, 1}, {dh.rows(first, last), 0});
    if (dw.target)
      gemm(in(dlogits), in(x.rows(first, last)), out(dw.target), V, D, last - first,
           {.transpose_a = true, .beta = first > 0 ? 1 : dw.beta});
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
