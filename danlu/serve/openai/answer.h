// What the answers of completions and chats have in common: their envelope, their usage, the ways to send them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "danlu/serve/http/event_stream.h"
#include "danlu/serve/openai/generation_fields.h"
#include "danlu/serve/openai/generation_job.h"

namespace danlu::serve {

class Answer {
 public:
  virtual ~Answer() = default;

  // Runs the job to its end: whole, or as a stream of chunks if the request says so. An error in the middle of a stream
  // is an event with the error object, and no "[DONE]" follows.
  static HttpResponse send(std::shared_ptr<Answer> answer);

 protected:
  // `kind`: "cmpl" begins the id. `object`: what a whole answer calls itself; `chunk_object` a piece of one.
  Answer(TextModel& model, const HttpRequest& http, GenerationFields fields, const char* kind, const char* object,
         const char* chunk_object);

  // For implementers: begins the work, once the requests are known.
  void start(std::vector<infer::GenerationRequest> requests);

  // Takes an event into choice `index`.
  virtual void take(size_t index, const infer::GenerationEvent& event) = 0;
  // The choice as it stands at the end.
  virtual Json choice(size_t index) = 0;
  // Choices of the chunk that comes before all others; an empty array for none.
  virtual Json first_chunk() { return Json::array(); }
  // The choice of a chunk with what `event` brings; null if that is nothing.
  virtual Json chunk(size_t index, const infer::GenerationEvent& event) = 0;

  // null, "stop" or "length".
  static Json finish_reason(infer::FinishReason finish);

  TextModel& model() { return model_; }
  const GenerationFields& fields() const { return fields_; }

 private:
  HttpResponse whole();
  void stream(EventStream& events);
  Json envelope(const char* object, Json choices) const;
  Json usage() const;
  void count(size_t index, const infer::GenerationEvent& event);

  TextModel& model_;
  const GenerationFields fields_;
  const std::function<bool()> is_abandoned_;
  const std::string id_;
  const char* const object_;
  const char* const chunk_object_;
  const int64_t created_;
  size_t num_choices_ = 0;
  std::vector<bool> seen_;  // the first event of the choice
  int64_t prompt_tokens_ = 0, cached_tokens_ = 0, completion_tokens_ = 0;
  std::unique_ptr<GenerationJob> job_;
};

}  // namespace danlu::serve
