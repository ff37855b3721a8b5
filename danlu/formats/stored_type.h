// The element types of safetensors files, and what each becomes in memory: arithmetic here is f32, so the other floating-point
// types are converted as they are read.
//
//   F64 F32 F16 BF16 -> f32     I64 -> i64     I32 I16 I8 -> i32     U8 BOOL -> u8
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "danlu/engine/tensor/dtype.h"

namespace danlu::formats {

struct StoredType {
  const char* name;  // as the header spells it
  size_t bytes;      // of an element in the file
  Dtype dtype;       // of the tensor that it is read into
  void (*convert)(const std::byte* from, size_t count, void* to);  // `from` need not be aligned
};

// nullptr for a type that is not read.
const StoredType* find_stored_type(std::string_view name);
// What a tensor is written as.
const StoredType& stored_type_of(Dtype dtype);

}  // namespace danlu::formats
