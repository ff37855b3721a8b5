#include "danlu/formats/stored_type.h"

#include <array>
#include <bit>
#include <cstring>

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

float f16_to_f32(uint16_t bits) {
  constexpr uint32_t kExponent = 0x7f800000, kInfinity = 0x47800000;  // of f32; 2^16, one above the largest f16
  // The exponent's bias is 112 less: multiplying by 2^112 sets it right and makes subnormal numbers normal.
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  const auto scaled = std::bit_cast<float>(static_cast<uint32_t>(bits & 0x7fff) << 13) * 0x1p112f;
  const auto magnitude = std::bit_cast<uint32_t>(scaled);
  return std::bit_cast<float>(sign | magnitude | (magnitude >= kInfinity ? kExponent : 0));
}

float bf16_to_f32(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

uint16_t f32_to_f16(float value) {
  constexpr uint32_t kInfinity = 0x7f800000, kTooLarge = 0x47800000, kLeastNormal = 0x38800000;  // of f32: 2^16, 2^-14
  const auto bits = std::bit_cast<uint32_t>(value), magnitude = bits & 0x7fffffff;
  const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  const auto with_sign = [&](uint32_t rest) { return static_cast<uint16_t>(sign | rest); };
  if (magnitude > kInfinity) return with_sign(0x7e00);
  if (magnitude >= kTooLarge) return with_sign(0x7c00);
  // The unit of subnormal numbers is 2^-24, and so is that of f32 from 0.5 to 1: the sum is rounded as it should be.
  if (magnitude < kLeastNormal) return with_sign(std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - std::bit_cast<uint32_t>(0.5f));
  const uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);  // a carry goes into the exponent, and from the largest to infinity
  return with_sign((rounded - (112u << 23)) >> 13);
}

uint16_t f32_to_bf16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return static_cast<uint16_t>(bits >> 16 | 0x40);  // NaN, a quiet one
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

}  // namespace danlu::formats
