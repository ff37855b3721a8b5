// The random streams of the data path. Each is a function of (seed, epoch, purpose, stream) alone, so that any epoch,
// batch or sample can be made again without what came before it.
#pragma once

#include <cstdint>

#include "danlu/base/rng.h"

namespace danlu::data {

enum class RngPurpose : uint32_t { shuffle = 1, augment, split, folds, negatives, masks, partners };

inline Rng epoch_rng(uint64_t seed, int64_t epoch, RngPurpose purpose, uint64_t stream = 0) {
  // "danlu" keeps these keys apart from streams that others draw directly from the same seed.
  constexpr uint64_t kDomain = 0x64616E6C75ull << 8;
  const auto block = philox(seed, static_cast<uint64_t>(epoch), kDomain | static_cast<uint64_t>(purpose));
  return Rng(block[0] | uint64_t{block[1]} << 32, stream);
}

}  // namespace danlu::data
