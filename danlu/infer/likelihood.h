// How probable a model finds one text after another: what multiple-choice tasks are scored by.
//
//   std::vector<Likelihood> scores = likelihoods(generator, {{"The sky is", " blue"}, {"The sky is", " green"}});
//
// Text is cut into tokens as lm-evaluation-harness does it: white space at the end of the context goes to the continuation; both
// are encoded as one text, and what the context alone does not account for is the continuation.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "danlu/infer/generator.h"

namespace danlu::infer {

struct ContinuationRequest {
  std::string context, continuation;  // an empty context stands for the end-of-text token
};

struct Likelihood {
  double logprob = 0;   // nats, of the whole continuation
  int64_t tokens = 0;   // of the continuation
  bool greedy = false;  // each of its tokens was the most probable one
};

// One for each request. What is longer than the model's context loses its beginning, as in the harness. Throws DataError for an empty
// continuation or one that fills the whole context.
std::vector<Likelihood> likelihoods(Generator& generator, std::span<const ContinuationRequest> requests);

}  // namespace danlu::infer
