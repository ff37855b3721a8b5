// A text to compare tokenisers on.
#pragma once

#include <string>

#include "danlu/data/text/tokenizer.h"

namespace danlu::infer {

// Letters, numbers, blanks, accents, another script, what lies beyond the first plane, and tokens from all over the vocabulary.
std::string sample_text(const data::Tokenizer& tokenizer);

}  // namespace danlu::infer
