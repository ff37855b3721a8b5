// How long one answer takes, as its receiver feels it, and what it takes to give it.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "danlu/app/recipe/cost.h"
#include "danlu/app/recipe/data_source.h"
#include "danlu/base/json.h"
#include "danlu/infer/language_model.h"

namespace danlu::app {

// {"p50_ms", "p95_ms", "p99_ms", "count"} of times in seconds; null where there are none. The q-th percentile is the smallest time that
// is not exceeded by q per cent of them (nearest rank).
Json percentiles(std::vector<double> seconds);

// Questions one by one, as a server is asked when it is quiet, round and round for half a second at most: answer(i), i below `questions`,
// of which there is at least one.
struct SingleAnswers {
  std::vector<double> seconds;  // of each
  Effort effort;
};
SingleAnswers time_single_answers(size_t questions, const std::function<void(size_t question)>& answer);
// The same of samples.
SingleAnswers time_single_answers(const DataSource& source, infer::Predictor& predictor, std::span<const int64_t> samples);

struct GenerationTimes {
  Json latency;      // {"first token": percentiles, "next token": percentiles}
  double tokens = 0;  // generated, with the effort for them
  Effort effort;
};

// A language model that goes on with `text`, a piece at a time, for about two seconds.
GenerationTimes time_generation(std::shared_ptr<infer::LanguageModel> model, const std::vector<data::TokenId>& text);

}  // namespace danlu::app
