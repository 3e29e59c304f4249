#include "ops/norm.h"

#include "kernels/table.h"
#include "tensor/tape.h"

namespace malssi {
namespace {

float* data_of(const GradSink& sink) { return sink.target ? sink.target.f32() : nullptr; }

void check_rows(const char* name, const Tensor& x, const Tensor& w) {
  REQUIRE(x.shape().rank() == 2 && w.size() == x.dim(1), name, ": x ", x.shape(),
          " does not fit weight ", w.shape());
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

}  // namespace malssi
