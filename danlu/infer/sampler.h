// Choosing the next token from logits.
//
// In this order, as Hugging Face and llama.cpp do: penalties, logit bias, temperature, top-k, top-p, min-p, a draw. Temperature 0
// takes the most probable token (the smallest id of equals).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "danlu/base/options.h"
#include "danlu/data/text/tokenizer.h"

namespace danlu::infer {

struct SamplingOptions {
  double temperature = 1;          // 0: greedy
  int64_t top_k = 0;               // of the k most probable only; 0: all
  double top_p = 1;                // of the fewest that hold this probability (Holtzman et al. 2020, arXiv:1904.09751)
  double min_p = 0;                // of those at least this likely beside the most probable (arXiv:2407.01082)
  double repetition_penalty = 1;   // divides the logits of tokens seen (arXiv:1909.05858); 1: none
  double presence_penalty = 0;     // subtracted once from tokens generated before, as OpenAI does
  double frequency_penalty = 0;    // subtracted for each time
  std::map<data::TokenId, double> logit_bias = {};  // added, -100 to 100
  std::optional<uint64_t> seed = {};  // absent: drawn from the system
  void describe(OptionVisitor& v);  // all but logit_bias
};

// Throws ConfigError naming the option that is out of range.
void check(const SamplingOptions& options);

// The choices of one sequence: a function of options, seed and the tokens so far alone.
class Sampler {
 public:
  explicit Sampler(const SamplingOptions& options);

  // `logits` (V) are changed. `prompt` and `generated` are what came before, grown at their ends since the last call.
  // Throws NumericError for logits that leave nothing to choose from: a NaN, an infinity, or none above minus infinity.
  data::TokenId next(std::span<float> logits, std::span<const data::TokenId> prompt, std::span<const data::TokenId> generated);

 private:
  struct Candidate {
    float weight;  // the logit, then its share before it is divided by the sum
    data::TokenId id;
  };

  void penalize(std::span<float> logits, std::span<const data::TokenId> prompt, std::span<const data::TokenId> generated);
  void take_candidates(std::span<const float> logits);
  void cut_candidates(float largest);
  data::TokenId draw();

  SamplingOptions options_;
  uint64_t seed_;
  uint64_t draws_ = 0;
  size_t prompt_counted_ = 0, generated_counted_ = 0;
  std::unordered_map<data::TokenId, int64_t> times_generated_;  // of each token seen; 0 for those of the prompt alone
  std::vector<Candidate> candidates_;
};

}  // namespace danlu::infer
