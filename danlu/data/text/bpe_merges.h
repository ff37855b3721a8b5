// The merges of byte-pair encoding, out of counted pieces: the heart of BpeTrainer.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "danlu/data/text/piece_counts.h"
#include "danlu/data/text/tokenizer_model.h"

namespace danlu::data {

// Appends to `vocab`, which holds the 256 bytes, up to `merges` tokens, and returns how each is made. A pair whose bytes are
// already a token, or one of `reserved`, is left unmerged.
// Time     about that of reading, once for each merge, the pieces that it changes.
std::vector<TokenizerModel::Merge> learn_merges(std::span<const PieceCounter::Count> pieces, int64_t merges,
                                                int64_t min_frequency, const std::vector<std::string>& reserved,
                                                std::vector<std::string>& vocab);

}  // namespace danlu::data
