// Tensor: a cheap handle to a dense, row-major block of numbers. Copies share the block (clone()
// does not). A tensor that wants a gradient carries a GradSlot, into which the Tape's backward pass
// accumulates.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "kernels/dtype.h"
#include "tensor/shape.h"

namespace malssi {

struct GradSlot;

class Tensor {
 public:
  Tensor() = default;

  static Tensor empty(Shape shape, DType dtype = DType::f32);  // contents undefined
  static Tensor shaped(Shape shape, DType dtype);              // no memory yet: not defined()
  static Tensor zeros(Shape shape, DType dtype = DType::f32);
  static Tensor full(Shape shape, float value);
  static Tensor from(std::span<const float> values, Shape shape);  // f32; copies
  // A mapped file's memory, kept alive by `owner`: read only. Whole blocks of the dtype.
  static Tensor borrowed(std::shared_ptr<const void> owner, const void* data, Shape shape,
                         DType dtype);

  // A matrix rearranged for products (WeightLayout::panels), where it is of a block format; else this one. Of a mapped file
  // the pages read for it are given back to the system, so that memory holds the matrix once.
  Tensor in_panels() const;
  // A dense matrix in panels of a block format, made a slab of rows at a time, else likewise. Throws Error: rows that are no
  // whole blocks, a number that is not finite or too large.
  Tensor packed(DType format) const;

  // Of a mapped file: lets the system have the pages back; they come again when they are read. Else nothing.
  void give_pages_back() const;

  bool defined() const { return data_ != nullptr; }
  explicit operator bool() const { return defined(); }
  const Shape& shape() const { return shape_; }
  int64_t dim(int axis) const { return shape_[axis]; }
  int64_t size() const { return size_; }
  DType dtype() const { return dtype_; }
  // A tensor in panels is only multiplied: nothing else reads its numbers.
  WeightLayout layout() const { return layout_; }
  int64_t bytes() const { return dtype_bytes(dtype_, size_); }

  void* data() const { return data_; }
  float* f32() const;   // throws unless the dtype is f32
  bf16* bf16s() const;  // throws unless the dtype is bf16
  template <class T>
  T* as() const {
    return static_cast<T*>(data_);
  }

  // Whether no other handle or view shares the block: then nobody misses what it holds.
  bool owns_alone() const { return block_.use_count() == 1; }

  // The same block, seen with another shape of as many elements; shares the gradient.
  Tensor view(Shape shape) const;
  // Rows begin .. end - 1 of the first axis: the same block, without a gradient.
  Tensor rows(int64_t begin, int64_t end) const;
  // A copy in another dtype (f32 and bf16 to each other, any number format to f32), or this one when it has it already.
  // Without a gradient.
  Tensor to(DType dtype) const;
  Tensor clone() const;
  // Copies the numbers of a tensor of the same size into this block, converting as to() does.
  void copy_from(const Tensor& source) const;
  void fill(float value) const;
  std::vector<float> to_vector() const;

  // Marks a parameter: backward passes accumulate its gradient, in f32, until clear_grad().
  Tensor& want_grad();
  bool wants_grad() const { return slot_ != nullptr; }
  Tensor grad() const;      // undefined while no backward pass has reached it
  void clear_grad() const;  // the next contribution overwrites
  const std::shared_ptr<GradSlot>& slot() const { return slot_; }
  void set_slot(std::shared_ptr<GradSlot> slot) { slot_ = std::move(slot); }

 private:
  std::shared_ptr<void> block_;
  void* data_ = nullptr;
  Shape shape_;
  int64_t size_ = 0;
  DType dtype_ = DType::f32;
  WeightLayout layout_ = WeightLayout::rows;
  bool borrowed_ = false;
  std::shared_ptr<GradSlot> slot_;
};

}  // namespace malssi
