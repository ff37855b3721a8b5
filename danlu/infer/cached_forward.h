// One pass of a decoder over new tokens of several sequences, whose earlier ones are in a cache.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "danlu/infer/kv_cache.h"
#include "danlu/learn/models/gpt.h"

namespace danlu::infer {

// Tokens that go on a sequence.
struct Piece {
  int64_t slot;
  std::vector<data::TokenId> tokens;  // at least one
};

// The normalised output of the last block, (rows of all pieces, width), piece after piece: what Gpt::hidden would give at these
// positions of the whole sequences, but for the rounding of a cache in f16. Their keys and values are in the cache afterwards. Each slot
// occurs once. If it throws, the slots of the pieces are unsound.
Tensor cached_forward(models::Gpt& network, KvCache& cache, std::span<const Piece> pieces);

}  // namespace danlu::infer
