// Tensor: a handle to an n-dimensional array, row-major and contiguous.
//
// Copying a Tensor copies the handle; both see the same elements (clone() copies the elements). Views share storage and are
// contiguous too: another shape of the same elements, or a slice of the first axis.
// A tensor may take part in automatic differentiation; the fields for that are kept here and used by engine/autograd.
// Threads: reading one tensor from several threads is safe; writing needs the caller's own ordering.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "danlu/engine/tensor/dtype.h"
#include "danlu/engine/tensor/shape.h"

namespace danlu {

namespace detail {

// A counted block of memory.
struct Storage {
  std::atomic<int64_t> references{1};
  void* data = nullptr;
  size_t bytes = 0;
  // Counts writes through mutable_data() and friends, so that backward notices a saved tensor that has changed since.
  uint32_t version = 0;
  // Of memory that is not the allocator's: what keeps it.
  std::shared_ptr<const void> owner;
};

class StoragePtr {
 public:
  StoragePtr() = default;
  explicit StoragePtr(size_t bytes);
  StoragePtr(const void* data, size_t bytes, std::shared_ptr<const void> owner);
  StoragePtr(const StoragePtr& other) : p_(other.p_) { if (p_) p_->references.fetch_add(1, std::memory_order_relaxed); }
  StoragePtr(StoragePtr&& other) noexcept : p_(std::exchange(other.p_, nullptr)) {}
  StoragePtr& operator=(StoragePtr other) noexcept { std::swap(p_, other.p_); return *this; }
  ~StoragePtr() { if (p_) release(); }
  Storage* operator->() const { return p_; }
  explicit operator bool() const { return p_ != nullptr; }

 private:
  void release() noexcept;
  Storage* p_ = nullptr;
};

struct TensorImpl;

// Throws ShapeError unless `count` is the number of elements of `shape`.
void check_count(const Shape& shape, size_t count);

}  // namespace detail

class Tensor {
 public:
  // Undefined: no shape, no elements. Everything but defined() and assignment is an error then.
  Tensor() = default;

  // Uninitialised elements.
  static Tensor empty(const Shape& shape, Dtype dtype = Dtype::f32);
  static Tensor zeros(const Shape& shape, Dtype dtype = Dtype::f32);
  static Tensor full(const Shape& shape, float value);
  static Tensor scalar(float value) { return full({}, value); }
  // Copies `values`, whose number must be that of the shape. Throws ShapeError.
  template <class T>
  static Tensor from(const Shape& shape, std::span<const T> values);
  static Tensor from(const Shape& shape, std::initializer_list<float> values) {
    return from(shape, std::span<const float>(values.begin(), values.size()));
  }
  static Tensor from(const Shape& shape, const std::vector<float>& values) {
    return from(shape, std::span<const float>(values));
  }

  // Elements that lie elsewhere, in a mapped file say, for as long as `owner` is held. They may not be written.
  static Tensor borrow(const Shape& shape, Dtype dtype, const std::byte* data, std::shared_ptr<const void> owner);

  bool defined() const { return static_cast<bool>(impl_); }
  const Shape& shape() const;
  int rank() const { return shape().rank(); }
  int64_t size(int axis) const { return shape()[axis]; }
  int64_t numel() const;
  Dtype dtype() const;
  size_t bytes() const { return static_cast<size_t>(numel()) * dtype_bytes(dtype()); }

  // Elements. Throw DtypeError if T is not the element type. mutable_data() counts as a write (see Storage::version).
  template <class T = float>
  const T* data() const { return static_cast<const T*>(raw(DtypeOf<T>::value)); }
  template <class T = float>
  T* mutable_data() { return static_cast<T*>(mutable_raw(DtypeOf<T>::value)); }
  template <class T = float>
  std::span<const T> span() const { return {data<T>(), static_cast<size_t>(numel())}; }
  template <class T = float>
  std::span<T> mutable_span() { return {mutable_data<T>(), static_cast<size_t>(numel())}; }
  // Bytes whatever the type.
  const std::byte* raw_bytes() const;
  std::byte* mutable_raw_bytes();
  // The only element. Throws ShapeError if there are more.
  float item() const;
  std::vector<float> to_vector() const;

  // Views; not differentiable (engine/ops has reshape and slice that are). Throw ShapeError.
  Tensor view(const Shape& shape) const;
  Tensor rows(int64_t begin, int64_t end) const;  // of the first axis

  Tensor clone() const;               // a copy of the elements, outside differentiation
  Tensor detach() const;              // the same elements, outside differentiation
  void fill(float value);             // f32
  void copy_from(const Tensor& other);  // same shape and type
  // Points this tensor (and every handle to it) at the elements of `other`, same shape and type. Used once, by the
  // parameter store, to gather parameters in one buffer.
  void rebase(const Tensor& other);

  // Differentiation. A leaf with requires_grad collects a gradient in grad() when backward() runs.
  bool requires_grad() const;
  Tensor& set_requires_grad(bool value = true);
  // The gradient of a leaf after backward(); undefined before. Same shape.
  Tensor grad() const;
  void set_grad(Tensor grad);
  // Marks the gradient as stale: the next contribution overwrites it instead of adding to it. Costs no pass over memory.
  void zero_grad();

  bool same(const Tensor& other) const { return impl_.get() == other.impl_.get(); }
  detail::TensorImpl& impl() const;  // for engine/autograd

 private:
  class ImplPtr {
   public:
    ImplPtr() = default;
    explicit ImplPtr(detail::TensorImpl* p) : p_(p) {}
    ImplPtr(const ImplPtr& other);
    ImplPtr(ImplPtr&& other) noexcept : p_(std::exchange(other.p_, nullptr)) {}
    ImplPtr& operator=(ImplPtr other) noexcept { std::swap(p_, other.p_); return *this; }
    ~ImplPtr() { if (p_) release(); }
    detail::TensorImpl* get() const { return p_; }
    detail::TensorImpl* operator->() const { return p_; }
    explicit operator bool() const { return p_ != nullptr; }

   private:
    void release() noexcept;
    detail::TensorImpl* p_ = nullptr;
  };

  explicit Tensor(ImplPtr impl) : impl_(std::move(impl)) {}
  static Tensor make(const Shape& shape, Dtype dtype, detail::StoragePtr storage, std::byte* data);
  const void* raw(Dtype expected) const;
  void* mutable_raw(Dtype expected);
  ImplPtr impl_;
};

namespace detail {

struct TensorImpl {
  std::atomic<int64_t> references{1};
  Dtype dtype = Dtype::f32;
  bool requires_grad = false;  // a leaf that wants a gradient
  bool grad_stale = true;      // grad holds old values: overwrite
  // Where the tape keeps this tensor's gradient: valid only while `tape_generation` is the tape's own.
  int32_t slot = -1;
  uint64_t tape_generation = 0;
  Shape shape;
  int64_t numel = 0;
  StoragePtr storage;
  std::byte* data = nullptr;
  Tensor grad;
};

}  // namespace detail

inline const Shape& Tensor::shape() const { return impl().shape; }
inline int64_t Tensor::numel() const { return impl().numel; }
inline Dtype Tensor::dtype() const { return impl().dtype; }

template <class T>
Tensor Tensor::from(const Shape& shape, std::span<const T> values) {
  Tensor tensor = empty(shape, DtypeOf<T>::value);
  detail::check_count(shape, values.size());
  T* out = tensor.mutable_data<T>();
  for (size_t i = 0; i < values.size(); ++i) out[i] = values[i];
  return tensor;
}

}  // namespace danlu
