// How long one answer takes, as its receiver feels it.
#pragma once

#include <memory>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/infer/language_model.h"

namespace danlu::app {

// {"p50_ms", "p95_ms", "p99_ms", "count"} of times in seconds; null where there are none. The q-th percentile is the smallest time that
// is not exceeded by q per cent of them (nearest rank).
Json percentiles(std::vector<double> seconds);

// A language model that goes on with `text`, a piece at a time, for about two seconds: {"first token": percentiles, "next token": ...}.
Json time_generation(std::shared_ptr<infer::LanguageModel> model, const std::vector<data::TokenId>& text);

}  // namespace danlu::app
