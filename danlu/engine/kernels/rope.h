// Rotary position embedding (see ops/rope.h for the formula).
#pragma once

#include <cstdint>

namespace danlu::kernels {

// Of the angles position * frequency: cosines and sines (length, pairs). positions may be null for 0, 1, ...
void rope_angles(const float* frequencies, const int64_t* positions, float* cosines, float* sines, int64_t length, int64_t pairs);

struct RopeShape {
  int64_t rows;    // of x, a multiple of length: row i is at angles i mod length
  int64_t length;
  int64_t heads, rotated_heads, pairs;  // a row is heads * 2 pairs floats
};

// Turns the first heads of each row and copies the others; backwards if `back`.
void rope(const RopeShape& shape, const float* x, const float* cosines, const float* sines, bool back, float* y);

}  // namespace danlu::kernels
