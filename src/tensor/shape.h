// The extents of a tensor's axes, outermost first; at most 4 axes, every extent at least 0.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <ostream>
#include <span>

#include "base/error.h"

namespace malssi {

class Shape {
 public:
  static constexpr int kMaxRank = 4;

  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}
  explicit Shape(std::span<const int64_t> dims) {
    REQUIRE(dims.size() <= kMaxRank, "shape: ", dims.size(), " axes; at most ", kMaxRank,
            " are supported");
    for (int64_t dim : dims) {
      REQUIRE(dim >= 0, "shape: an axis has the negative extent ", dim);
      dims_[static_cast<size_t>(rank_++)] = dim;
    }
  }

  int rank() const { return rank_; }
  // Extent of an axis; negative counts from the end.
  int64_t operator[](int axis) const {
    const int i = axis < 0 ? axis + rank_ : axis;
    CHECK(i >= 0 && i < rank_, "axis ", axis, " of a tensor with ", rank_, " axes");
    return dims_[static_cast<size_t>(i)];
  }
  // Elements; throws when the product does not fit.
  int64_t size() const {
    int64_t product = 1;
    for (int i = 0; i < rank_; ++i) {
      REQUIRE(!__builtin_mul_overflow(product, dims_[static_cast<size_t>(i)], &product), "shape ",
              *this, " has more elements than can be counted");
    }
    return product;
  }
  // This shape with another last extent.
  Shape with_last(int64_t last) const {
    Shape copy = *this;
    CHECK(rank_ > 0);
    copy.dims_[static_cast<size_t>(rank_ - 1)] = last;
    return copy;
  }
  std::span<const int64_t> dims() const { return {dims_.data(), static_cast<size_t>(rank_)}; }
  bool operator==(const Shape&) const = default;

  friend std::ostream& operator<<(std::ostream& out, const Shape& shape) {
    out << '[';
    for (int i = 0; i < shape.rank_; ++i)
      out << (i > 0 ? ", " : "") << shape.dims_[static_cast<size_t>(i)];
    return out << ']';
  }

 private:
  std::array<int64_t, kMaxRank> dims_{};
  int rank_ = 0;
};

}  // namespace malssi
