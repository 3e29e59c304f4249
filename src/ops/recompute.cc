#include "ops/recompute.h"

#include <utility>

#include "tensor/tape.h"

namespace malssi {
namespace {

// The same numbers at the beginning of a tape of their own.
Tensor leaf(const Tensor& x, bool wants_grad) {
  Tensor own = x;
  own.set_slot(nullptr);
  if (wants_grad) own.want_grad();
  return own;
}

// Where a result's gradient goes, without its numbers: they are computed a second time only on the way.
Tensor place_of(const Tensor& y) {
  Tensor place = Tensor::shaped(y.shape(), y.dtype());
  place.set_slot(y.slot());
  return place;
}

}  // namespace

Tensor recomputed(const Tensor& x, std::function<Tensor(const Tensor& x)> f) {
  if (Tape::current() == nullptr) return f(x);
  CHECK(x.dtype() == DType::f32, "recomputed from ", dtype_name(x.dtype()));
  Tensor y;
  {
    const Tape passing;  // on a tape, too: products without one are others, which round otherwise
    y = f(leaf(x, x.wants_grad()));
  }
  if (!y.wants_grad()) return y;
  y.set_slot(nullptr);
  Tensor inside = Tensor::shaped({1}, DType::f32);  // wants what the parameters of f want
  inside.want_grad();
  record("recomputed", {x, inside}, y, [x, f = std::move(f)](const Tensor& dy, Grads& grads) {
    const Tensor own = leaf(x, grads.wants(0));
    Tape again;
    again.backward_from(place_of(f(own)), dy);
    if (own.wants_grad()) grads.give(0, own.grad());
  });
  return y;
}

}  // namespace malssi
