// Random numbers by counter: Philox4x32-10. The n-th number depends on the key and on n alone, so any part of a stream can
// be made by any thread, at any time, with the same result.
// Source: Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3".
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace danlu {

// Four 32-bit numbers for one counter value.
std::array<uint32_t, 4> philox(uint64_t key, uint64_t counter_low, uint64_t counter_high);

// A stream of numbers. Its whole state is three integers: save them and the stream goes on where it stopped.
// Distributions are our own, so that results do not depend on the standard library.
class Rng {
 public:
  struct State {
    uint64_t seed = 0;
    uint64_t stream = 0;
    uint64_t position = 0;  // 32-bit numbers drawn so far
  };

  // Different streams of one seed are independent: give each purpose (shuffling, initialisation, augmentation) its own.
  explicit Rng(uint64_t seed, uint64_t stream = 0) : state_{seed, stream, 0} {}
  explicit Rng(const State& state) : state_(state) {}

  uint32_t next_u32();
  uint64_t next_u64();
  // In [0, 1), 24 bits.
  float uniform();
  // In [0, n), without bias. n >= 1.
  int64_t below(int64_t n);
  // Standard normal (Box-Muller).
  float normal();
  // Fisher-Yates.
  void shuffle(std::span<int64_t> values);

  const State& state() const { return state_; }

 private:
  State state_;
  std::array<uint32_t, 4> block_{};
  uint64_t block_index_ = UINT64_MAX;  // which counter block_ holds
};

}  // namespace danlu
