#include "danlu/engine/kernels/packed_weight.h"

#include <algorithm>
#include <cstring>

#include "danlu/base/float16.h"

namespace danlu::kernels {
namespace {

constexpr int64_t kStepBytes = 64;
constexpr int64_t kScaleBytes = 64;

// Where a group lies: its scale, and the byte of its code 0. Codes 4 s to 4 s + 3 are s steps further.
struct Place {
  int64_t scale, codes;
  bool high;  // in the upper halves of the bytes
};

Place place_of(const PackedWeight& w, int64_t row, int64_t group) {
  const int64_t unit = row / kUnitRows * w.block_bytes() + group / 2 * unit_bytes(w.format), lane = row % kUnitRows, second = group % 2;
  const bool halves = w.format == WeightFormat::q4;
  const int64_t first_step = halves ? 0 : second * kGroup / 4;
  return {unit + 2 * (second * kUnitRows + lane), unit + kScaleBytes + first_step * kStepBytes + 4 * lane, halves && second == 1};
}

int64_t byte_of(const Place& place, int64_t i) { return place.codes + i / 4 * kStepBytes + i % 4; }

}  // namespace

void put_group(const PackedWeight& w, uint8_t* data, int64_t row, int64_t group, const uint8_t* codes, uint16_t scale) {
  const Place place = place_of(w, row, group);
  std::memcpy(data + place.scale, &scale, sizeof scale);
  for (int64_t i = 0; i < kGroup; ++i) {
    uint8_t& byte = data[byte_of(place, i)];
    if (w.format == WeightFormat::q8) {
      byte = codes[i];
    } else {
      byte = static_cast<uint8_t>(place.high ? (byte & 0x0f) | codes[i] << 4 : (byte & 0xf0) | codes[i]);
    }
  }
}

void get_group(const PackedWeight& w, int64_t row, int64_t group, uint8_t* codes, uint16_t* scale) {
  const Place place = place_of(w, row, group);
  std::memcpy(scale, w.data + place.scale, sizeof *scale);
  for (int64_t i = 0; i < kGroup; ++i) {
    const uint8_t byte = w.data[byte_of(place, i)];
    codes[i] = w.format == WeightFormat::q8 ? byte : static_cast<uint8_t>(place.high ? byte >> 4 : byte & 0x0f);
  }
}

void unpack_row(const PackedWeight& w, int64_t row, float* out) {
  uint8_t codes[kGroup];
  uint16_t bits = 0;
  const int zero = zero_code(w.format);
  for (int64_t group = 0; group * kGroup < w.columns; ++group) {
    get_group(w, row, group, codes, &bits);
    const float scale = f16_to_f32(bits);
    const int64_t count = std::min(kGroup, w.columns - group * kGroup);
    for (int64_t i = 0; i < count; ++i) out[group * kGroup + i] = scale * static_cast<float>(codes[i] - zero);
  }
}

}  // namespace danlu::kernels
