#include "danlu/engine/ops/random.h"

namespace danlu {
namespace {

thread_local RandomState current;

}  // namespace

void manual_seed(uint64_t seed) { current = {seed, 0}; }

RandomState random_state() { return current; }

void set_random_state(const RandomState& state) { current = state; }

RandomState next_random() {
  const RandomState draw = current;
  ++current.offset;
  return draw;
}

}  // namespace danlu
