// The fields that completions and chats share: how to draw tokens, when to end, how to answer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "danlu/serve/json_request.h"
#include "danlu/serve/openai/text_model.h"

namespace danlu::serve {

struct GenerationFields {
  infer::SamplingOptions sampling;
  std::vector<std::string> stop;
  std::optional<int64_t> max_tokens;
  int64_t n = 1;  // answers to each prompt
  bool stream = false;
  bool include_usage = false;
  bool ignore_eos = false;
};

// temperature, top_p, top_k, min_p, the penalties, logit_bias, seed; stop; max_tokens or max_completion_tokens; n;
// stream and stream_options.include_usage; ignore_eos. Throws RequestError, also for what OpenAI's interface has and
// this server has not: a field that is ignored must not matter.
GenerationFields read_generation_fields(const Fields& fields, const TextModel& model);

// A request for each prompt and answer, prompt by prompt. Answer i of a prompt draws with seed + i.
// Throws RequestError for a prompt without tokens or with more than the context.
std::vector<infer::GenerationRequest> make_requests(const GenerationFields& fields,
                                                    const std::vector<std::vector<data::TokenId>>& prompts,
                                                    const TextModel& model, const std::string& place);

}  // namespace danlu::serve
