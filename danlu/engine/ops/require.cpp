#include "danlu/engine/ops/require.h"

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu {

void require_f32(const char* op, const Tensor& x) {
  if (x.dtype() != Dtype::f32) [[unlikely]] {
    throw DtypeError(fmt::format("engine.ops.{}", op), fmt::format("got a tensor of {}; expected f32", dtype_name(x.dtype())));
  }
}

void bad_shape(const char* op, const char* what, const Shape& got, const std::string& expected) {
  throw ShapeError(fmt::format("engine.ops.{}", op), fmt::format("{}: got {}; expected {}", what, got.str(), expected));
}

}  // namespace danlu
