// From a Buffer's dtype to a typed pointer.
#pragma once

#include "base/error.h"
#include "kernels/table.h"

namespace malssi {

// Calls body(float*) or body(bf16*).
template <class Body>
void with_type(Buffer buffer, Body&& body) {
  if (buffer.dtype == DType::f32) return body(static_cast<float*>(buffer.data));
  CHECK(buffer.dtype == DType::bf16, "a kernel was given ", dtype_name(buffer.dtype));
  body(static_cast<bf16*>(buffer.data));
}

// Calls body(const float*) or body(const bf16*).
template <class Body>
void with_type(ConstBuffer buffer, Body&& body) {
  if (buffer.dtype == DType::f32) return body(static_cast<const float*>(buffer.data));
  CHECK(buffer.dtype == DType::bf16, "a kernel was given ", dtype_name(buffer.dtype));
  body(static_cast<const bf16*>(buffer.data));
}

}  // namespace malssi
