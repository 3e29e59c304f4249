#include "ops/norm.h"

#include <cstring>

#include "kernels/table.h"
#include "tensor/tape.h"

namespace malssi {
namespace {

float* data_of(const GradSink& sink) { return sink.target ? sink.target.f32() : nullptr; }

void check_rows(const char* name, const Tensor& x, const Tensor& w) {
  REQUIRE(x.shape().rank() == 2 && w.size() == x.dim(1), name, ": x ", x.shape(),
          " does not fit weight ", w.shape());
}

// The queries' or keys' columns of qkv.
struct HeadColumns {
  HeadRows rows;
  int64_t first;  // element where they begin in a row

  Buffer of(const Tensor& t) const {
    return {t.as<char>() + first * dtype_size(t.dtype()), t.dtype()};
  }
};

// Values pass head_norm as they are.
void copy_values(const Tensor& from, const Tensor& to, int64_t first) {
  const int64_t width = from.dim(1), size = dtype_size(from.dtype());
  for (int64_t n = 0; n < from.dim(0); ++n)
    std::memcpy(to.as<char>() + (n * width + first) * size,
                from.as<char>() + (n * width + first) * size,
                static_cast<size_t>((width - first) * size));
}

}  // namespace

Tensor rms_norm(const Tensor& x, const Tensor& w, float eps, DType out) {
  check_rows("rms_norm", x, w);
  const int64_t N = x.dim(0), D = x.dim(1);
  Tensor y = Tensor::empty(x.shape(), out);
  const Tensor rstd = Tensor::empty({N});
  kernels().rms_norm(x.f32(), w.f32(), {y.data(), out}, rstd.f32(), N, D, eps);
  if (!recording({x, w})) return y;
  record("rms_norm", {x, w}, y, [x, w, rstd, N, D](const Tensor& dy, Grads& grads) {
    const GradSink dx = grads.into(0), dw = grads.into(1);
    kernels().rms_norm_backward({dy.data(), dy.dtype()}, x.f32(), w.f32(), rstd.f32(), data_of(dx),
                                dx.beta, data_of(dw), dw.beta, N, D);
  });
  return y;
}

Tensor layer_norm(const Tensor& x, const Tensor& w, const Tensor& b, float eps, DType out) {
  check_rows("layer_norm", x, w);
  const int64_t N = x.dim(0), D = x.dim(1);
  Tensor y = Tensor::empty(x.shape(), out);
  const Tensor mean = Tensor::empty({N}), rstd = Tensor::empty({N});
  kernels().layer_norm(x.f32(), w.f32(), b ? b.f32() : nullptr, {y.data(), out}, mean.f32(),
                       rstd.f32(), N, D, eps);
  if (!recording({x, w})) return y;
  record("layer_norm", {x, w, b}, y, [x, w, mean, rstd, N, D](const Tensor& dy, Grads& grads) {
    const GradSink dx = grads.into(0), dw = grads.into(1), db = grads.into(2);
    kernels().layer_norm_backward({dy.data(), dy.dtype()}, x.f32(), w.f32(), mean.f32(), rstd.f32(),
                                  data_of(dx), dx.beta, data_of(dw), dw.beta, data_of(db), db.beta,
                                  N, D);
  });
  return y;
}

Tensor head_norm(const Tensor& qkv, const Tensor& q_weight, const Tensor& k_weight, int64_t heads,
                 int64_t kv_heads, float eps) {
  const int64_t N = qkv.dim(0), dim = q_weight.size(), width = (heads + 2 * kv_heads) * dim;
  REQUIRE(qkv.shape().rank() == 2 && qkv.dim(1) == width && k_weight.size() == dim,
          "head_norm: qkv ", qkv.shape(), " does not hold ", heads, " query and ", kv_heads,
          " key/value heads of ", dim);
  const HeadColumns q{{N, heads, dim, width}, 0}, k{{N, kv_heads, dim, width}, heads * dim};
  Tensor y = Tensor::empty(qkv.shape(), qkv.dtype());
  const Tensor q_rstd = Tensor::empty({N, heads}), k_rstd = Tensor::empty({N, kv_heads});
  kernels().head_norm(q.of(qkv), q_weight.f32(), q.of(y), q_rstd.f32(), q.rows, eps);
  kernels().head_norm(k.of(qkv), k_weight.f32(), k.of(y), k_rstd.f32(), k.rows, eps);
  copy_values(qkv, y, (heads + kv_heads) * dim);
  if (!recording({qkv, q_weight, k_weight})) return y;
  record("head_norm", {qkv, q_weight, k_weight}, y,
         [qkv, q_weight, k_weight, q, k, q_rstd, k_rstd](const Tensor& dy, Grads& grads) {
           const Tensor dx = Tensor::empty(qkv.shape(), qkv.dtype());
           const GradSink dq = grads.into(1), dk = grads.into(2);
           kernels().head_norm_backward(q.of(dy), q.of(qkv), q_weight.f32(), q_rstd.f32(), q.of(dx),
                                        data_of(dq), dq.beta, q.rows);
           kernels().head_norm_backward(k.of(dy), k.of(qkv), k_weight.f32(), k_rstd.f32(), k.of(dx),
                                        data_of(dk), dk.beta, k.rows);
           copy_values(dy, dx, k.first + k.rows.heads * k.rows.head_dim);
           grads.give(0, dx);
         });
  return y;
}

}  // namespace malssi
