#include "danlu/formats/stored_type.h"

#include <array>
#include <cstring>

#include "danlu/base/float16.h"

namespace danlu::formats {
namespace {

template <class From>
From load(const std::byte* from, size_t index) {
  From value;
  std::memcpy(&value, from + index * sizeof(From), sizeof(From));
  return value;
}

template <class From, class To, auto kConvert>
void convert_each(const std::byte* from, size_t count, void* to) {
  To* out = static_cast<To*>(to);
  for (size_t i = 0; i < count; ++i) out[i] = kConvert(load<From>(from, i));
}

template <class T>
void copy(const std::byte* from, size_t count, void* to) {
  if (count > 0) std::memcpy(to, from, count * sizeof(T));
}

template <class From, class To>
constexpr To cast(From value) {
  return static_cast<To>(value);
}

// The first of a dtype is the one that it is written as.
constexpr std::array kTypes = {
    StoredType{"F32", 4, Dtype::f32, copy<float>},
    StoredType{"F16", 2, Dtype::f32, convert_each<uint16_t, float, f16_to_f32>},
    StoredType{"BF16", 2, Dtype::f32, convert_each<uint16_t, float, bf16_to_f32>},
    StoredType{"F64", 8, Dtype::f32, convert_each<double, float, cast<double, float>>},
    StoredType{"I64", 8, Dtype::i64, copy<int64_t>},
    StoredType{"I32", 4, Dtype::i32, copy<int32_t>},
    StoredType{"I16", 2, Dtype::i32, convert_each<int16_t, int32_t, cast<int16_t, int32_t>>},
    StoredType{"I8", 1, Dtype::i32, convert_each<int8_t, int32_t, cast<int8_t, int32_t>>},
    StoredType{"U8", 1, Dtype::u8, copy<uint8_t>},
    StoredType{"BOOL", 1, Dtype::u8, copy<uint8_t>},
};

}  // namespace

const StoredType* find_stored_type(std::string_view name) {
  for (const StoredType& type : kTypes) {
    if (name == type.name) return &type;
  }
  return nullptr;
}

const StoredType& stored_type_of(Dtype dtype) {
  for (const StoredType& type : kTypes) {
    if (type.dtype == dtype) return type;
  }
  return kTypes[0];
}

}  // namespace danlu::formats
