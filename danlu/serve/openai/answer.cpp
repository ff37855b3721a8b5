#include "danlu/serve/openai/answer.h"

#include <ctime>
#include <utility>

#include "danlu/serve/error.h"

namespace danlu::serve {

using Kind = GenerationJob::Step::Kind;

Answer::Answer(TextModel& model, const HttpRequest& http, GenerationFields fields, const char* kind, const char* object,
               const char* chunk_object)
    : model_(model),
      fields_(std::move(fields)),
      is_abandoned_(http.is_abandoned),
      id_(std::string(kind) + "-" + http.id),
      object_(object),
      chunk_object_(chunk_object),
      created_(std::time(nullptr)) {}

void Answer::start(std::vector<infer::GenerationRequest> requests) {
  num_choices_ = requests.size();
  seen_.resize(num_choices_);
  for (size_t i = 0; i < num_choices_; i += static_cast<size_t>(fields_.n)) {
    prompt_tokens_ += static_cast<int64_t>(requests[i].prompt.size());
  }
  job_ = std::make_unique<GenerationJob>(model_, std::move(requests), is_abandoned_);
}

HttpResponse Answer::send(std::shared_ptr<Answer> answer) {
  if (!answer->fields_.stream) return answer->whole();
  return event_stream([answer = std::move(answer)](EventStream& events) { answer->stream(events); });
}

HttpResponse Answer::whole() {
  for (GenerationJob::Step step = job_->next(); step.kind != Kind::ended; step = job_->next()) {
    if (step.kind != Kind::event) continue;
    count(step.index, step.event);
    take(step.index, step.event);
  }
  Json choices = Json::array();
  for (size_t i = 0; i < num_choices_; ++i) choices.push_back(choice(i));
  Json body = envelope(object_, std::move(choices));
  body["usage"] = usage();
  return {.body = to_line(body)};
}

void Answer::stream(EventStream& events) {
  const auto send = [&](Json choices) {
    Json body = envelope(chunk_object_, std::move(choices));
    if (fields_.include_usage) body["usage"] = nullptr;
    return events.send(to_line(body));
  };
  try {
    Json first = first_chunk();
    if (!first.empty() && !send(std::move(first))) return;
    for (GenerationJob::Step step = job_->next(); step.kind != Kind::ended; step = job_->next()) {
      if (step.kind == Kind::silent) {
        if (!events.ping()) return;
        continue;
      }
      count(step.index, step.event);
      Json piece = chunk(step.index, step.event);
      if (!piece.is_null() && !send(Json::array({std::move(piece)}))) return;
    }
    if (fields_.include_usage) {
      Json body = envelope(chunk_object_, Json::array());
      body["usage"] = usage();
      if (!events.send(to_line(body))) return;
    }
    events.send("[DONE]");
  } catch (const RequestError& error) {
    events.send(error_response(error).body);
  }
}

void Answer::count(size_t index, const infer::GenerationEvent& event) {
  completion_tokens_ += static_cast<int64_t>(event.tokens.size());
  // The answers to one prompt share it: the first of them counts.
  if (!seen_[index] && index % static_cast<size_t>(fields_.n) == 0) cached_tokens_ += event.cached_tokens;
  seen_[index] = true;
}

Json Answer::envelope(const char* object, Json choices) const {
  return {{"id", id_},
          {"object", object},
          {"created", created_},
          {"model", model_.name()},
          {"choices", std::move(choices)}};
}

Json Answer::usage() const {
  return {{"prompt_tokens", prompt_tokens_},
          {"completion_tokens", completion_tokens_},
          {"total_tokens", prompt_tokens_ + completion_tokens_},
          {"prompt_tokens_details", {{"cached_tokens", cached_tokens_}}}};
}

Json Answer::finish_reason(infer::FinishReason finish) {
  switch (finish) {
    case infer::FinishReason::stop:
      return "stop";
    case infer::FinishReason::length:
      return "length";
    default:
      return nullptr;
  }
}

}  // namespace danlu::serve
