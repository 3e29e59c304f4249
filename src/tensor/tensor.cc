#include "tensor/tensor.h"

#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/panel_product.h"
#include "kernels/table.h"
#include "quant/formats.h"
#include "quant/widen.h"
#include "tensor/pool.h"
#include "tensor/tape.h"

namespace malssi {

Tensor Tensor::empty(Shape shape, DType dtype) {
  Tensor t;
  t.shape_ = shape;
  t.size_ = shape.size();
  t.dtype_ = dtype;
  const DTypeBlock block = dtype_block(dtype);
  REQUIRE(shape.rank() > 0 ? t.size_ == 0 || shape[-1] % block.elements == 0 : block.elements == 1,
          "tensor: rows of ", shape, " are no whole blocks of ", block.elements, ", as ",
          dtype_name(dtype), " wants");
  int64_t bytes = 0;
  REQUIRE(!__builtin_mul_overflow(t.size_ / block.elements, block.bytes, &bytes), "tensor: ", shape,
          " ", dtype_name(dtype), " does not fit into memory");
  t.data_ = pool_allocate(bytes);
  t.block_ = std::shared_ptr<void>(t.data_, [bytes](void* block) { pool_free(block, bytes); });
  return t;
}

Tensor Tensor::shaped(Shape shape, DType dtype) {
  Tensor t;
  t.shape_ = shape;
  t.size_ = shape.size();
  t.dtype_ = dtype;
  return t;
}

Tensor Tensor::borrowed(std::shared_ptr<const void> owner, const void* data, Shape shape,
                        DType dtype) {
  Tensor t;
  t.block_ = std::const_pointer_cast<void>(std::move(owner));
  t.data_ = const_cast<void*>(data);
  t.shape_ = shape;
  t.size_ = shape.size();
  t.dtype_ = dtype;
  t.borrowed_ = true;
  return t;
}

namespace {

// Whole pages only: the ends may be others' too. Their contents are the file's and come back when they are read again.
void drop_pages(void* data, int64_t bytes) {
  constexpr uintptr_t kPage = 4096;
  const auto begin = (reinterpret_cast<uintptr_t>(data) + kPage - 1) / kPage * kPage,
             end = (reinterpret_cast<uintptr_t>(data) + static_cast<uintptr_t>(bytes)) / kPage *
                   kPage;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

// Room for panels.
std::shared_ptr<void> panel_room(const Shape& shape, DType dtype) {
  const int64_t bytes = panel_bytes(dtype, shape[0], shape[1]);
  return {lasting_allocate(bytes), [bytes](void* block) { lasting_free(block, bytes); }};
}

void check_packable(const Tensor& numbers, DType format) {
  for (int64_t i = 0; i < numbers.size(); ++i)
    REQUIRE(std::fabs(numbers.f32()[i]) <= kLargestPacked, "a weight ", numbers.f32()[i],
            " cannot be packed as ", dtype_name(format));
}

}  // namespace

void Tensor::give_pages_back() const {
  if (borrowed_) drop_pages(data_, bytes());
}

Tensor Tensor::packed(DType format) const {
  CHECK(shape_.rank() == 2 && !is_block_format(dtype_) && is_block_format(format), "packing ",
        shape_, " ", dtype_name(dtype_), " as ", dtype_name(format));
  const int64_t elements = dtype_block(format).elements, K = dim(1);
  REQUIRE(K % elements == 0, "rows of ", K, " numbers are no whole blocks of ", elements, ", as ",
          dtype_name(format), " wants: choose another format");
  Tensor t = shaped(shape_, format);
  t.block_ = panel_room(shape_, format);
  t.data_ = t.block_.get();
  t.layout_ = WeightLayout::panels;
  const int64_t step = std::max<int64_t>(1, (1 << 20) / K / kPanelRows) * kPanelRows;
  for (int64_t begin = 0; begin < dim(0); begin += step) {
    const Tensor slab = rows(begin, std::min(begin + step, dim(0))), wide = slab.to(DType::f32);
    check_packable(wide, format);
    const Tensor blocks = empty(wide.shape(), format);
    pack_rows(quant_format(format), wide.f32(), nullptr, blocks.data(), slab.dim(0), K);
    to_panels(format, blocks.data(), slab.dim(0), K, t.as<char>() + dtype_bytes(format, begin * K));
    slab.give_pages_back();
  }
  return t;
}

Tensor Tensor::in_panels() const {
  if (!is_block_format(dtype_) || layout_ == WeightLayout::panels) return *this;
  CHECK(shape_.rank() == 2, "a tensor ", shape_, " in panels");
  Tensor t = *this;
  t.block_ = panel_room(shape_, dtype_);
  t.data_ = t.block_.get();
  constexpr int64_t kSlab = 2048;  // rows at a time: no more than those are in memory twice
  for (int64_t begin = 0; begin < dim(0); begin += kSlab) {
    const Tensor slab = rows(begin, std::min(begin + kSlab, dim(0)));
    to_panels(dtype_, slab.data_, slab.dim(0), dim(1),
              static_cast<char*>(t.data_) + dtype_bytes(dtype_, begin * dim(1)));
    slab.give_pages_back();
  }
  t.layout_ = WeightLayout::panels;
  t.borrowed_ = false;
  return t;
}

Tensor Tensor::zeros(Shape shape, DType dtype) {
  Tensor t = empty(shape, dtype);
  std::memset(t.data_, 0, static_cast<size_t>(t.bytes()));
  return t;
}

Tensor Tensor::full(Shape shape, float value) {
  Tensor t = empty(shape);
  t.fill(value);
  return t;
}

Tensor Tensor::from(std::span<const float> values, Shape shape) {
  REQUIRE(shape.size() == static_cast<int64_t>(values.size()), "tensor: ", values.size(),
          " numbers do not fill ", shape);
  Tensor t = empty(shape);
  std::copy(values.begin(), values.end(), t.f32());
  return t;
}

float* Tensor::f32() const {
  CHECK(dtype_ == DType::f32, "wanted f32, the tensor ", shape_, " is ", dtype_name(dtype_));
  return static_cast<float*>(data_);
}

bf16* Tensor::bf16s() const {
  CHECK(dtype_ == DType::bf16, "wanted bf16, the tensor ", shape_, " is ", dtype_name(dtype_));
  return static_cast<bf16*>(data_);
}

Tensor Tensor::view(Shape shape) const {
  REQUIRE(shape.size() == size_, "view: ", shape_, " cannot be seen as ", shape);
  Tensor t = *this;
  t.shape_ = shape;
  return t;
}

Tensor Tensor::rows(int64_t begin, int64_t end) const {
  REQUIRE(shape_.rank() > 0 && begin >= 0 && begin <= end && end <= dim(0), "rows: ", begin, " to ",
          end, " of ", shape_);
  CHECK(layout_ == WeightLayout::rows, "rows of a tensor ", shape_, " in panels");
  Tensor t = *this;
  t.slot_ = nullptr;
  std::array<int64_t, Shape::kMaxRank> dims{};
  std::copy(shape_.dims().begin(), shape_.dims().end(), dims.begin());
  dims[0] = end - begin;
  t.shape_ = Shape(std::span<const int64_t>(dims.data(), static_cast<size_t>(shape_.rank())));
  t.size_ = t.shape_.size();
  const int64_t row = dim(0) == 0 ? 0 : size_ / dim(0);
  t.data_ = static_cast<char*>(data_) + dtype_bytes(dtype_, begin * row);
  return t;
}

void Tensor::copy_from(const Tensor& source) const {
  REQUIRE(source.size_ == size_, "copy: ", source.shape_, " does not fill ", shape_);
  CHECK(source.layout_ == layout_, "the numbers of a tensor ", shape_, " in panels are not read");
  if (source.dtype_ == dtype_) {
    std::memcpy(data_, source.data_, static_cast<size_t>(bytes()));
  } else if (dtype_ == DType::bf16 && source.dtype_ == DType::f32) {
    kernels().f32_to_bf16(source.f32(), bf16s(), size_);
  } else if (dtype_ == DType::bf16 && can_widen(source.dtype_)) {
    copy_from(source.to(DType::f32));
  } else {
    REQUIRE(dtype_ == DType::f32 && can_widen(source.dtype_), "copy: cannot turn ",
            dtype_name(source.dtype_), " into ", dtype_name(dtype_));
    widen_rows(source.dtype_, source.data_, f32(), size_ == 0 ? 0 : size_ / source.dim(-1),
               size_ == 0 ? 0 : source.dim(-1));
  }
}

Tensor Tensor::to(DType dtype) const {
  if (dtype == dtype_) return *this;
  Tensor t = empty(shape_, dtype);
  t.copy_from(*this);
  return t;
}

Tensor Tensor::clone() const {
  Tensor t = empty(shape_, dtype_);
  std::memcpy(t.data_, data_, static_cast<size_t>(bytes()));
  return t;
}

void Tensor::fill(float value) const {
  if (dtype_ == DType::bf16) {
    std::fill_n(bf16s(), size_, bf16(value));
  } else {
    std::fill_n(f32(), size_, value);
  }
}

std::vector<float> Tensor::to_vector() const {
  const Tensor t = to(DType::f32);
  return {t.f32(), t.f32() + size_};
}

Tensor& Tensor::want_grad() {
  slot_ = std::make_shared<GradSlot>();
  slot_->shape = shape_;
  return *this;
}

Tensor Tensor::grad() const { return slot_ != nullptr && slot_->written ? slot_->grad : Tensor(); }

void Tensor::clear_grad() const {
  if (slot_ != nullptr) slot_->written = false;
}

}  // namespace malssi
