// What every use of AMX says to the processor first: eight tiles of 16 rows of 64 bytes.
#pragma once

#include <cstdint>

namespace danlu::kernels {

constexpr int64_t kTile = 16;  // rows, and columns of four bytes

// For _tile_loadconfig.
struct alignas(64) TileConfiguration {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {kTile, kTile, kTile, kTile, kTile, kTile, kTile, kTile};
};

}  // namespace danlu::kernels
