// Tokens that may come next because they did before: what followed the place where a text was as it is at its end now. Answers that
// quote, correct or go on with what they were given repeat much of it.
//
// Source    Saxena 2023, "Prompt lookup decoding"; Yang et al. 2023, "Inference with reference" (arXiv:2304.04487).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "danlu/data/text/tokenizer.h"

namespace danlu::infer {

// At most `most` tokens; none unless the last two were there together before. Of several places the one that agrees furthest back
// counts, of equals the latest.
std::vector<data::TokenId> look_up(std::span<const data::TokenId> text, int64_t most);

}  // namespace danlu::infer
