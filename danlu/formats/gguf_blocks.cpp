#include "danlu/formats/gguf_blocks.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "danlu/base/float16.h"
#include "danlu/base/format.h"

namespace danlu::formats {
namespace {

constexpr int kBlock = 32, kSuperBlock = 256;
constexpr float kMaxF16 = 65504;

uint32_t byte_at(const std::byte* p) { return std::to_integer<uint32_t>(*p); }
uint16_t u16_at(const std::byte* p) { return static_cast<uint16_t>(byte_at(p) | byte_at(p + 1) << 8); }
uint32_t u32_at(const std::byte* p) { return static_cast<uint32_t>(u16_at(p)) | static_cast<uint32_t>(u16_at(p + 2)) << 16; }
float f16_at(const std::byte* p) { return f16_to_f32(u16_at(p)); }
void put_u16(std::byte* p, uint16_t value) {
  p[0] = static_cast<std::byte>(value & 0xff);
  p[1] = static_cast<std::byte>(value >> 8);
}

// A function on one block becomes one on many.
template <int kElements, int kBytes, auto kDecode>
void decode_each(std::span<const std::byte> from, std::span<float> to) {
  const size_t blocks = to.size() / kElements;
  for (size_t i = 0; i < blocks; ++i) kDecode(from.data() + i * kBytes, to.data() + i * kElements);
}

template <int kElements, int kBytes, auto kEncode>
void encode_each(std::span<const float> from, std::span<std::byte> to) {
  const size_t blocks = from.size() / kElements;
  for (size_t i = 0; i < blocks; ++i) kEncode(from.data() + i * kElements, to.data() + i * kBytes);
}

void copy_in(std::span<const std::byte> from, std::span<float> to) {
  if (!to.empty()) std::memcpy(to.data(), from.data(), to.size_bytes());
}
void copy_out(std::span<const float> from, std::span<std::byte> to) {
  if (!from.empty()) std::memcpy(to.data(), from.data(), from.size_bytes());
}

void decode_f16(const std::byte* from, float* to) { *to = f16_at(from); }
void encode_f16(const float* from, std::byte* to) { put_u16(to, f32_to_f16(*from)); }
void decode_bf16(const std::byte* from, float* to) { *to = bf16_to_f32(u16_at(from)); }
void encode_bf16(const float* from, std::byte* to) { put_u16(to, f32_to_bf16(*from)); }

// 0 for a scale that f16 rounds to 0 besides
float inverse_of(float scale) {
  const float inverse = 1 / scale;
  return std::isfinite(inverse) ? inverse : 0;
}

// scale, 32 signed bytes
void decode_q8_0(const std::byte* from, float* to) {
  const float scale = f16_at(from);
  for (int i = 0; i < kBlock; ++i) to[i] = static_cast<float>(static_cast<int8_t>(byte_at(from + 2 + i))) * scale;
}

void encode_q8_0(const float* from, std::byte* to) {
  float largest = 0;
  for (int i = 0; i < kBlock; ++i) largest = std::max(largest, std::abs(from[i]));
  const float scale = largest / 127, inverse = inverse_of(scale);
  put_u16(to, f32_to_f16(scale));
  for (int i = 0; i < kBlock; ++i) to[2 + i] = static_cast<std::byte>(static_cast<int8_t>(std::round(from[i] * inverse)));
}

// scale, 16 bytes: the low halves are elements 0 to 15, the high ones 16 to 31; 8 stands for 0
void decode_q4_0(const std::byte* from, float* to) {
  const float scale = f16_at(from);
  for (int i = 0; i < kBlock / 2; ++i) {
    const uint32_t both = byte_at(from + 2 + i);
    to[i] = static_cast<float>(static_cast<int>(both & 15) - 8) * scale;
    to[i + kBlock / 2] = static_cast<float>(static_cast<int>(both >> 4) - 8) * scale;
  }
}

// The element of the largest magnitude becomes -8 exactly.
void encode_q4_0(const float* from, std::byte* to) {
  float largest = 0;
  for (int i = 0; i < kBlock; ++i) {
    if (std::abs(from[i]) > std::abs(largest)) largest = from[i];
  }
  const float scale = largest / -8, inverse = inverse_of(scale);
  put_u16(to, f32_to_f16(scale));
  const auto code = [&](float value) { return std::min(15, static_cast<int>(value * inverse + 8.5f)); };
  for (int i = 0; i < kBlock / 2; ++i) to[2 + i] = static_cast<std::byte>(code(from[i]) | code(from[i + kBlock / 2]) << 4);
}

// scale, least value, halves as above
void decode_q4_1(const std::byte* from, float* to) {
  const float scale = f16_at(from), least = f16_at(from + 2);
  for (int i = 0; i < kBlock / 2; ++i) {
    const uint32_t both = byte_at(from + 4 + i);
    to[i] = static_cast<float>(both & 15) * scale + least;
    to[i + kBlock / 2] = static_cast<float>(both >> 4) * scale + least;
  }
}

// scale, 32 fifth bits, halves; 16 stands for 0
void decode_q5_0(const std::byte* from, float* to) {
  const float scale = f16_at(from);
  const uint32_t fifth = u32_at(from + 2);
  for (int i = 0; i < kBlock / 2; ++i) {
    const uint32_t both = byte_at(from + 6 + i);
    to[i] = static_cast<float>(static_cast<int>((both & 15) | (fifth >> i & 1) << 4) - 16) * scale;
    to[i + kBlock / 2] = static_cast<float>(static_cast<int>(both >> 4 | (fifth >> (i + 16) & 1) << 4) - 16) * scale;
  }
}

void decode_q5_1(const std::byte* from, float* to) {
  const float scale = f16_at(from), least = f16_at(from + 2);
  const uint32_t fifth = u32_at(from + 4);
  for (int i = 0; i < kBlock / 2; ++i) {
    const uint32_t both = byte_at(from + 8 + i);
    to[i] = static_cast<float>((both & 15) | (fifth >> i & 1) << 4) * scale + least;
    to[i + kBlock / 2] = static_cast<float>(both >> 4 | (fifth >> (i + 16) & 1) << 4) * scale + least;
  }
}

// The scales and least values of the eight groups of 32, six bits each in 12 bytes: the first four in the low six bits of bytes 0 to 3
// and 4 to 7, of the others four bits in bytes 8 to 11 and two atop of those bytes.
std::pair<float, float> group_scales(const std::byte* packed, int group) {
  const auto at = [&](int i) { return byte_at(packed + i); };
  if (group < 4) return {static_cast<float>(at(group) & 63), static_cast<float>(at(group + 4) & 63)};
  return {static_cast<float>((at(group + 4) & 15) | at(group - 4) >> 6 << 4), static_cast<float>(at(group + 4) >> 4 | at(group) >> 6 << 4)};
}

// scale, scale of the least values, 12 bytes of group scales, [32 bytes of fifth bits,] 128 bytes of halves: those of 32 bytes are two groups
template <bool kFifthBit>
void decode_q45_k(const std::byte* from, float* to) {
  const float scale = f16_at(from), least_scale = f16_at(from + 2);
  const std::byte *fifth = from + 16, *halves = from + (kFifthBit ? 48 : 16);
  for (int group = 0; group < kSuperBlock / kBlock; ++group) {
    const auto [group_scale, group_least] = group_scales(from + 4, group);
    const float d = scale * group_scale, least = least_scale * group_least;
    for (int i = 0; i < kBlock; ++i) {
      const uint32_t both = byte_at(halves + group / 2 * kBlock + i);
      uint32_t code = group % 2 == 0 ? both & 15 : both >> 4;
      if constexpr (kFifthBit) code |= (byte_at(fifth + i) >> group & 1) << 4;
      *to++ = d * static_cast<float>(code) - least;
    }
  }
}

// 128 bytes of low halves, 64 of upper two bits, 16 signed scales of groups of 16, scale. Of each half of the block the bytes hold
// elements i, i + 32 (low halves), i + 64, i + 96 (high halves); 32 stands for 0.
void decode_q6_k(const std::byte* from, float* to) {
  const float scale = f16_at(from + 208);
  for (int half = 0; half < 2; ++half) {
    const std::byte *low = from + half * 64, *upper = from + 128 + half * 32, *scales = from + 192 + half * 8;
    for (int quarter = 0; quarter < 4; ++quarter) {
      for (int i = 0; i < kBlock; ++i) {
        const uint32_t both = byte_at(low + quarter % 2 * kBlock + i);
        const uint32_t code = (quarter < 2 ? both & 15 : both >> 4) | (byte_at(upper + i) >> 2 * quarter & 3) << 4;
        const auto group_scale = static_cast<float>(static_cast<int8_t>(byte_at(scales + 2 * quarter + i / 16)));
        *to++ = scale * group_scale * static_cast<float>(static_cast<int>(code) - 32);
      }
    }
  }
}

template <int kElements, int kBytes, auto kDecode>
constexpr BlockType decoded_only(uint32_t id, const char* name) {
  return {id, name, kElements, kBytes, 0, decode_each<kElements, kBytes, kDecode>, nullptr};
}

constexpr std::array kTypes = {
    BlockType{0, "F32", 1, 4, std::numeric_limits<float>::max(), copy_in, copy_out},
    BlockType{1, "F16", 1, 2, kMaxF16, decode_each<1, 2, decode_f16>, encode_each<1, 2, encode_f16>},
    BlockType{30, "BF16", 1, 2, 3.38953139e38f, decode_each<1, 2, decode_bf16>, encode_each<1, 2, encode_bf16>},
    BlockType{8, "Q8_0", kBlock, 34, kMaxF16 * 127, decode_each<kBlock, 34, decode_q8_0>, encode_each<kBlock, 34, encode_q8_0>},
    decoded_only<kSuperBlock, 210, decode_q6_k>(14, "Q6_K"),
    decoded_only<kSuperBlock, 176, decode_q45_k<true>>(13, "Q5_K"),
    decoded_only<kBlock, 24, decode_q5_1>(7, "Q5_1"),
    decoded_only<kBlock, 22, decode_q5_0>(6, "Q5_0"),
    decoded_only<kSuperBlock, 144, decode_q45_k<false>>(12, "Q4_K"),
    decoded_only<kBlock, 20, decode_q4_1>(3, "Q4_1"),
    BlockType{2, "Q4_0", kBlock, 18, kMaxF16 * 8, decode_each<kBlock, 18, decode_q4_0>, encode_each<kBlock, 18, encode_q4_0>},
};

// Those that others write.
constexpr std::pair<uint32_t, const char*> kUnread[] = {
    {9, "Q8_1"},   {10, "Q2_K"},  {11, "Q3_K"},   {15, "Q8_K"},  {16, "IQ2_XXS"}, {17, "IQ2_XS"}, {18, "IQ3_XXS"}, {19, "IQ1_S"}, {20, "IQ4_NL"}, {21, "IQ3_S"},
    {22, "IQ2_S"}, {23, "IQ4_XS"}, {24, "I8"},     {25, "I16"},   {26, "I32"},     {27, "I64"},    {28, "F64"},     {29, "IQ1_M"}, {34, "TQ1_0"},  {35, "TQ2_0"},
    {39, "MXFP4"}, {40, "NVFP4"}, {41, "Q1_0"}};

}  // namespace

const BlockType* find_block_type(uint32_t id) {
  const auto found = std::find_if(kTypes.begin(), kTypes.end(), [&](const BlockType& type) { return type.id == id; });
  return found == kTypes.end() ? nullptr : &*found;
}

const BlockType* find_block_type(std::string_view name) {
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
  const auto found = std::find_if(kTypes.begin(), kTypes.end(), [&](const BlockType& type) {
    const std::string_view other = type.name;
    return std::equal(name.begin(), name.end(), other.begin(), other.end(), [&](char a, char b) { return upper(a) == b; });
  });
  return found == kTypes.end() ? nullptr : &*found;
}

std::string block_type_names() {
  std::string names;
  for (const BlockType& type : kTypes) names += (names.empty() ? "" : ", ") + std::string(type.name);
  return names;
}

std::string block_type_name(uint32_t id) {
  if (const BlockType* type = find_block_type(id)) return type->name;
  for (const auto& [other, name] : kUnread) {
    if (other == id) return name;
  }
  return fmt::format("type {}", id);
}

}  // namespace danlu::formats
