#include "danlu/serve/openai/generation_fields.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "danlu/base/format.h"
#include "danlu/serve/error.h"

namespace danlu::serve {
namespace {

constexpr int64_t kMaxAnswers = 128;
constexpr size_t kMaxSequences = 2048;
constexpr size_t kMaxStops = 16;  // OpenAI takes 4; evaluation programs send more

[[noreturn]] void unsupported(const std::string& place, const std::string& message) {
  throw RequestError(400, "unsupported", message, place);
}

infer::SamplingOptions read_sampling(const Fields& fields, int64_t vocab_size) {
  infer::SamplingOptions sampling;
  const Json known = write_options(sampling);
  for (const auto& [name, fallback] : known.items()) {
    const Json* value = fields.find(name);
    if (!value) continue;
    const bool all = name == "top_k" && *value == -1;  // as vLLM says it
    try {
      read_options(Json{{name, all ? Json(0) : *value}}, sampling);
    } catch (const ConfigError& error) {
      throw RequestError(400, "bad_value", error.message(), name);
    }
  }
  const Json* biases = fields.object("logit_bias");
  if (!biases) return sampling;
  for (const auto& [key, bias] : biases->items()) {
    const std::string place = "logit_bias." + key;
    data::TokenId id = -1;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (error != std::errc() || end != key.data() + key.size() || id < 0 || id >= vocab_size) {
      bad_value(place, fmt::format("the key is not a token id; expected 0 to {}", vocab_size - 1));
    }
    if (!bias.is_number()) wrong_type(place, bias, "a number");
    if (std::abs(bias.get<double>()) > 100)
      bad_value(place, fmt::format("got {}; expected -100 to 100", to_line(bias)));
    sampling.logit_bias[id] = bias.get<double>();
  }
  return sampling;
}

std::vector<std::string> read_stop(const Fields& fields) {
  const Json* value = fields.find("stop");
  std::vector<std::string> stop;
  if (!value) return stop;
  if (!value->is_string() && !value->is_array()) wrong_type("stop", *value, "a string or an array of strings");
  const Json list = value->is_string() ? Json::array({*value}) : *value;
  if (list.size() > kMaxStops)
    bad_value("stop", fmt::format("got {} strings; expected at most {}", list.size(), kMaxStops));
  for (size_t i = 0; i < list.size(); ++i) {
    if (!list[i].is_string()) wrong_type(fmt::format("stop[{}]", i), list[i], "a string");
    if (!list[i].get_ref<const std::string&>().empty()) stop.push_back(list[i]);
  }
  return stop;
}

std::optional<int64_t> read_max_tokens(const Fields& fields) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  const auto newer = fields.integer("max_completion_tokens", 0, kMost);
  return newer ? newer : fields.integer("max_tokens", 0, kMost);
}

// What would change the answer if this server knew it.
void refuse_unsupported(const Fields& fields) {
  for (const char* name : {"tools", "functions"}) {
    const Json* list = fields.find(name);
    if (list && !list->empty())
      unsupported(name, fmt::format("{} are not supported: the model answers with text alone", name));
  }
  for (const char* name : {"suffix", "chat_template", "guided_json", "guided_regex", "guided_choice", "guided_grammar",
                           "grammar", "json_schema", "audio", "prediction"}) {
    const Json* value = fields.find(name);
    if (value && !(value->is_string() && value->get_ref<const std::string&>().empty())) {
      unsupported(name, fmt::format("{} is not supported", name));
    }
  }
  if (const Json* format = fields.object("response_format")) {
    const auto type = Fields(*format, "response_format").string("type");
    if (type != "text") unsupported("response_format", "the only response_format supported is {\"type\": \"text\"}");
  }
  if (fields.boolean("continue_final_message").value_or(false)) {
    unsupported("continue_final_message", "continue_final_message is not supported");
  }
}

}  // namespace

GenerationFields read_generation_fields(const Fields& fields, const TextModel& model) {
  refuse_unsupported(fields);
  GenerationFields result;
  result.sampling = read_sampling(fields, model.vocab_size());
  result.stop = read_stop(fields);
  result.max_tokens = read_max_tokens(fields);
  result.n = fields.integer("n", 1, kMaxAnswers).value_or(1);
  const auto best_of = fields.integer("best_of", 1, kMaxAnswers);
  if (best_of && *best_of != 1 && *best_of != result.n) {
    unsupported("best_of", "best_of is not supported: every answer that is made is given; ask for n");
  }
  if (fields.boolean("use_beam_search").value_or(false)) unsupported("use_beam_search", "beam search is not supported");
  result.stream = fields.boolean("stream").value_or(false);
  if (const Json* options = fields.object("stream_options")) {
    result.include_usage = Fields(*options, "stream_options").boolean("include_usage").value_or(false);
  }
  result.ignore_eos = fields.boolean("ignore_eos").value_or(false);
  return result;
}

std::vector<infer::GenerationRequest> make_requests(const GenerationFields& fields,
                                                    const std::vector<std::vector<data::TokenId>>& prompts,
                                                    const TextModel& model, const std::string& place) {
  const size_t sequences = prompts.size() * static_cast<size_t>(fields.n);
  if (sequences > kMaxSequences) {
    throw RequestError(413, "too_many_sequences",
                       fmt::format("got {} prompts with {} answers each; expected at most {} answers in one request",
                                   prompts.size(), fields.n, kMaxSequences),
                       place);
  }
  std::vector<infer::GenerationRequest> requests;
  for (size_t i = 0; i < prompts.size(); ++i) {
    const auto length = static_cast<int64_t>(prompts[i].size());
    const std::string where = prompts.size() > 1 ? fmt::format("{}[{}]", place, i) : place;
    if (length == 0) throw RequestError(400, "empty", fmt::format("{} has no token", where), where);
    if (length > model.context()) {
      throw RequestError(400, "context_length_exceeded",
                         fmt::format("{} has {} tokens; the model's context is {}", where, length, model.context()),
                         where);
    }
    for (int64_t answer = 0; answer < fields.n; ++answer) {
      infer::GenerationRequest request;
      request.prompt = prompts[i];
      request.sampling = fields.sampling;
      if (request.sampling.seed) *request.sampling.seed += static_cast<uint64_t>(answer);
      request.stop = fields.stop;
      request.ignore_eos = fields.ignore_eos;
      request.max_tokens = fields.max_tokens.value_or(model.context());
      requests.push_back(std::move(request));
    }
  }
  return requests;
}

}  // namespace danlu::serve
