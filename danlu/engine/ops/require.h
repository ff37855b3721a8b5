// Checks of operands that many operations share. For the .cpp files of this room.
#pragma once

#include "danlu/engine/tensor/tensor.h"

namespace danlu {

// DtypeError naming the operation unless x is f32.
void require_f32(const char* op, const Tensor& x);
// ShapeError naming the operation: "[engine.ops.linear] weight: got (3, 4); expected (out, 5)".
[[noreturn]] void bad_shape(const char* op, const char* what, const Shape& got, const std::string& expected);

}  // namespace danlu
