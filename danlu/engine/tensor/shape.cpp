#include "danlu/engine/tensor/shape.h"

#include <vector>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu {

Shape::Shape(std::span<const int64_t> sizes) {
  if (sizes.size() > kMaxRank) {
    throw ShapeError("engine.shape", fmt::format("got {} axes; expected at most {}", sizes.size(), kMaxRank));
  }
  rank_ = static_cast<int>(sizes.size());
  int64_t product = 1;
  bool overflow = false;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] < 0) throw ShapeError("engine.shape", fmt::format("got size {} at axis {}; expected >= 0", sizes[i], i));
    sizes_[i] = sizes[i];
    overflow |= sizes[i] != 0 && __builtin_mul_overflow(product, sizes[i], &product);
  }
  if (overflow) throw ShapeError("engine.shape", fmt::format("got {}; the number of elements overflows 64 bits", str()));
}

int64_t Shape::numel() const {
  int64_t product = 1;
  for (const int64_t size : sizes()) product *= size;
  return product;
}

int64_t Shape::outer(int axis) const {
  const int end = normalize_axis(axis);
  int64_t product = 1;
  for (int i = 0; i < end; ++i) product *= sizes_[static_cast<size_t>(i)];
  return product;
}

int64_t Shape::inner(int axis) const {
  int64_t product = 1;
  for (int i = normalize_axis(axis) + 1; i < rank_; ++i) product *= sizes_[static_cast<size_t>(i)];
  return product;
}

Shape Shape::with(int axis, int64_t size) const {
  std::vector<int64_t> changed(sizes().begin(), sizes().end());
  changed[static_cast<size_t>(normalize_axis(axis))] = size;
  return Shape(changed);
}

Shape Shape::without(int axis) const {
  std::vector<int64_t> changed(sizes().begin(), sizes().end());
  changed.erase(changed.begin() + normalize_axis(axis));
  return Shape(changed);
}

Shape Shape::insert(int axis, int64_t size) const {
  std::vector<int64_t> changed(sizes().begin(), sizes().end());
  const int at = axis < 0 ? axis + rank_ + 1 : axis;
  if (at < 0 || at > rank_) bad_axis(axis);
  changed.insert(changed.begin() + at, size);
  return Shape(changed);
}

std::string Shape::str() const {
  return rank_ == 1 ? fmt::format("({},)", sizes_[0]) : fmt::format("({})", fmt::join(sizes(), ", "));
}

void Shape::bad_axis(int axis) const {
  throw ShapeError("engine.shape", fmt::format("got axis {} of a tensor of shape {}; expected one in [{}, {})", axis, str(),
                                               -rank_, rank_));
}

}  // namespace danlu
