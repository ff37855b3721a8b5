// The names of the operations, from ops.def: op::relu is "relu". An operation that is not in the list has no name, and so
// cannot be recorded.
#pragma once

namespace danlu::op {

#define OP(name, gradient) inline constexpr const char* name = #name;
#include "danlu/engine/ops/ops.def"

}  // namespace danlu::op
