// The random numbers of operations (dropout) and initialisers: a counter-based generator a thread.
//
// Its whole state is two numbers. A checkpoint that keeps them goes on with the same masks.
#pragma once

#include <cstdint>

namespace danlu {

struct RandomState {
  uint64_t seed = 0;
  uint64_t offset = 0;  // draws so far: each takes the next stream of Philox, however many numbers it needs
};

// Starts the calling thread's generator afresh.
void manual_seed(uint64_t seed);

RandomState random_state();
void set_random_state(const RandomState& state);

// The key and stream for one draw (a mask, an initial weight): advances the offset by one.
RandomState next_random();

}  // namespace danlu
