// The sizes of a tensor's axes, outermost first. At most six axes, stored inline. A scalar has none.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace danlu {

class Shape {
 public:
  static constexpr int kMaxRank = 6;

  Shape() = default;
  Shape(std::initializer_list<int64_t> sizes) : Shape(std::span<const int64_t>(sizes.begin(), sizes.size())) {}
  // Throws ShapeError for more than kMaxRank axes, a negative size, or a product that overflows 64 bits.
  explicit Shape(std::span<const int64_t> sizes);

  int rank() const { return rank_; }
  // Size of an axis; negative counts from the end. Throws ShapeError if there is no such axis.
  int64_t operator[](int axis) const { return sizes_[static_cast<size_t>(normalize_axis(axis))]; }
  int64_t numel() const;
  // Product of the sizes before, and after, an axis.
  int64_t outer(int axis) const;
  int64_t inner(int axis) const;
  std::span<const int64_t> sizes() const { return {sizes_.data(), static_cast<size_t>(rank_)}; }

  // A copy with one axis of another size, without it, or with a new one before `axis`.
  Shape with(int axis, int64_t size) const;
  Shape without(int axis) const;
  Shape insert(int axis, int64_t size) const;

  // 0 <= result < rank. Throws ShapeError.
  int normalize_axis(int axis) const {
    const int result = axis < 0 ? axis + rank_ : axis;
    if (result < 0 || result >= rank_) [[unlikely]] bad_axis(axis);
    return result;
  }

  std::string str() const;  // "(64, 784)"
  friend bool operator==(const Shape& a, const Shape& b) {
    if (a.rank_ != b.rank_) return false;
    for (int i = 0; i < a.rank_; ++i) {
      if (a.sizes_[static_cast<size_t>(i)] != b.sizes_[static_cast<size_t>(i)]) return false;
    }
    return true;
  }

 private:
  [[noreturn]] void bad_axis(int axis) const;
  std::array<int64_t, kMaxRank> sizes_{};
  int rank_ = 0;
};

}  // namespace danlu
