// Llama 3's slowing of rotary frequencies as GGUF files have it: not by its settings but by its effect, a divisor for each frequency.
#pragma once

#include "danlu/formats/gguf.h"
#include "danlu/learn/models/gpt.h"

namespace danlu::models {

inline constexpr const char* kRopeFrequencies = "rope_freqs.weight";

// (head_dim / 2) divisors; undefined where nothing is slowed.
Tensor gguf_rope_divisors(const GptOptions& options);

// Completes options, of which the heads and rope_theta are known, with settings that make the divisors of the file, if it has any. With
// them rope_low_freq and rope_high_freq are 1 and 4: other settings with the same effect cannot be told apart. Throws DataError for
// divisors that no settings make.
void read_gguf_rope(const formats::GgufFile& file, GptOptions& options);

}  // namespace danlu::models
