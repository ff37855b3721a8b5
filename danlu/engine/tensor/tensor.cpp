#include "danlu/engine/tensor/tensor.h"

#include <algorithm>
#include <cstring>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/tensor/allocator.h"

namespace danlu {
namespace detail {
namespace {

// Storage and TensorImpl objects come from the caching allocator too: a steady step makes no call to the system.
template <class T, class... Args>
T* make_counted(Args&&... args) {
  static_assert(alignof(T) <= 64);
  return new (allocate(sizeof(T))) T(std::forward<Args>(args)...);
}

template <class T>
void destroy_counted(T* object) noexcept {
  object->~T();
  deallocate(object, sizeof(T));
}

}  // namespace

StoragePtr::StoragePtr(size_t bytes) : p_(make_counted<Storage>()) {
  try {
    p_->data = allocate(bytes);
  } catch (...) {
    destroy_counted(p_);
    throw;
  }
  p_->bytes = bytes;
}

StoragePtr::StoragePtr(const void* data, size_t bytes, std::shared_ptr<const void> owner) : p_(make_counted<Storage>()) {
  p_->data = const_cast<void*>(data);
  p_->bytes = bytes;
  p_->owner = std::move(owner);
}

void StoragePtr::release() noexcept {
  if (p_->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (!p_->owner) deallocate(p_->data, p_->bytes);
  destroy_counted(p_);
}

void check_count(const Shape& shape, size_t count) {
  if (static_cast<size_t>(shape.numel()) != count) {
    throw ShapeError("engine.tensor", fmt::format("got {} values; expected {} for shape {}", count, shape.numel(), shape.str()));
  }
}

}  // namespace detail

Tensor::ImplPtr::ImplPtr(const ImplPtr& other) : p_(other.p_) {
  if (p_ != nullptr) p_->references.fetch_add(1, std::memory_order_relaxed);
}

void Tensor::ImplPtr::release() noexcept {
  if (p_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) detail::destroy_counted(p_);
}

detail::TensorImpl& Tensor::impl() const {
  if (!impl_) [[unlikely]] throw ShapeError("engine.tensor", "got an undefined tensor; expected one with elements");
  return *impl_.get();
}

Tensor Tensor::make(const Shape& shape, Dtype dtype, detail::StoragePtr storage, std::byte* data) {
  auto* impl = detail::make_counted<detail::TensorImpl>();
  impl->dtype = dtype;
  impl->shape = shape;
  impl->numel = shape.numel();
  impl->storage = std::move(storage);
  impl->data = data;
  return Tensor(ImplPtr(impl));
}

Tensor Tensor::empty(const Shape& shape, Dtype dtype) {
  const auto numel = static_cast<size_t>(shape.numel());
  size_t bytes = 0;
  if (__builtin_mul_overflow(numel, dtype_bytes(dtype), &bytes)) {
    throw ShapeError("engine.tensor", fmt::format("got shape {}; its size in bytes overflows 64 bits", shape.str()));
  }
  detail::StoragePtr storage(bytes);
  auto* data = static_cast<std::byte*>(storage->data);
  return make(shape, dtype, std::move(storage), data);
}

Tensor Tensor::borrow(const Shape& shape, Dtype dtype, const std::byte* data, std::shared_ptr<const void> owner) {
  detail::StoragePtr storage(data, static_cast<size_t>(shape.numel()) * dtype_bytes(dtype), std::move(owner));
  auto* start = static_cast<std::byte*>(storage->data);
  return make(shape, dtype, std::move(storage), start);
}

Tensor Tensor::zeros(const Shape& shape, Dtype dtype) {
  Tensor tensor = empty(shape, dtype);
  std::memset(tensor.mutable_raw_bytes(), 0, tensor.bytes());
  return tensor;
}

Tensor Tensor::full(const Shape& shape, float value) {
  Tensor tensor = empty(shape);
  tensor.fill(value);
  return tensor;
}

const void* Tensor::raw(Dtype expected) const {
  const detail::TensorImpl& i = impl();
  if (i.dtype != expected) [[unlikely]] {
    throw DtypeError("engine.tensor", fmt::format("got a tensor of {}; expected {}", dtype_name(i.dtype), dtype_name(expected)));
  }
  return i.data;
}

void* Tensor::mutable_raw(Dtype expected) {
  raw(expected);
  return mutable_raw_bytes();
}

const std::byte* Tensor::raw_bytes() const { return impl().data; }

std::byte* Tensor::mutable_raw_bytes() {
  detail::TensorImpl& i = impl();
  ++i.storage->version;
  return i.data;
}

float Tensor::item() const {
  if (numel() != 1) throw ShapeError("engine.tensor", fmt::format("got shape {}; expected one element", shape().str()));
  return data()[0];
}

std::vector<float> Tensor::to_vector() const { return {data(), data() + numel()}; }

Tensor Tensor::view(const Shape& shape) const {
  if (shape.numel() != numel()) {
    throw ShapeError("engine.tensor", fmt::format("got shape {} for a tensor of shape {}; expected {} elements", shape.str(),
                                                  this->shape().str(), numel()));
  }
  return make(shape, dtype(), impl().storage, impl().data);
}

Tensor Tensor::rows(int64_t begin, int64_t end) const {
  if (rank() == 0 || begin < 0 || begin > end || end > size(0)) {
    throw ShapeError("engine.tensor", fmt::format("got rows [{}, {}) of a tensor of shape {}", begin, end, shape().str()));
  }
  const size_t row_bytes = static_cast<size_t>(shape().inner(0)) * dtype_bytes(dtype());
  return make(shape().with(0, end - begin), dtype(), impl().storage, impl().data + static_cast<size_t>(begin) * row_bytes);
}

Tensor Tensor::clone() const {
  Tensor copy = empty(shape(), dtype());
  copy.copy_from(*this);
  return copy;
}

Tensor Tensor::detach() const { return make(shape(), dtype(), impl().storage, impl().data); }

void Tensor::fill(float value) { std::fill_n(mutable_data(), numel(), value); }

void Tensor::copy_from(const Tensor& other) {
  if (!(shape() == other.shape()) || dtype() != other.dtype()) {
    throw ShapeError("engine.tensor", fmt::format("got {} of {}; expected {} of {}", dtype_name(other.dtype()),
                                                  other.shape().str(), dtype_name(dtype()), shape().str()));
  }
  if (bytes() > 0) std::memcpy(mutable_raw_bytes(), other.raw_bytes(), bytes());
}

void Tensor::rebase(const Tensor& other) {
  if (!(shape() == other.shape()) || dtype() != other.dtype()) {
    throw ShapeError("engine.tensor", fmt::format("got {}; expected {}", other.shape().str(), shape().str()));
  }
  impl().storage = other.impl().storage;
  impl().data = other.impl().data;
}

bool Tensor::requires_grad() const { return impl().requires_grad; }

Tensor& Tensor::set_requires_grad(bool value) {
  if (value && dtype() != Dtype::f32) {
    throw DtypeError("engine.tensor", fmt::format("got {}; expected f32 for a tensor that requires a gradient", dtype_name(dtype())));
  }
  impl().requires_grad = value;
  return *this;
}

Tensor Tensor::grad() const {
  const detail::TensorImpl& i = impl();
  // A stale gradient reads as zero: nothing has contributed since zero_grad().
  if (i.grad.defined() && i.grad_stale) {
    Tensor g = i.grad;
    g.fill(0);
    impl().grad_stale = false;
  }
  return i.grad;
}

void Tensor::set_grad(Tensor grad) {
  if (grad.defined() && !(grad.shape() == shape())) {
    throw ShapeError("engine.tensor", fmt::format("got a gradient of shape {}; expected {}", grad.shape().str(), shape().str()));
  }
  impl().grad = std::move(grad);
  impl().grad_stale = false;
}

void Tensor::zero_grad() { impl().grad_stale = true; }

}  // namespace danlu
