// The answers that one HTTP request asks for, on their way through the generator.
//
// Lives on the thread of the connection: it takes the events that the generator's thread leaves for it, and looks now
// and then whether the client is still there. Its end is the end of the work.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "danlu/base/timer.h"
#include "danlu/serve/openai/text_model.h"

namespace danlu::serve {

class GenerationJob {
 public:
  // Begins. `is_abandoned` as in HttpRequest. Throws RequestError: 400 for a request that the generator does not take,
  // 429 if its queue is full.
  GenerationJob(TextModel& model, std::vector<infer::GenerationRequest> requests, std::function<bool()> is_abandoned);
  ~GenerationJob();  // cancels what has not ended
  GenerationJob(const GenerationJob&) = delete;
  GenerationJob& operator=(const GenerationJob&) = delete;

  struct Step {
    enum class Kind {
      event,   // `event` of the request `index`
      silent,  // nothing for kPing
      ended,   // all requests have had their last event
    };
    Kind kind = Kind::ended;
    size_t index = 0;
    infer::GenerationEvent event = {};
  };
  static constexpr std::chrono::seconds kPing{10};

  // What happens next. Throws RequestError: 503 if the job is abandoned, 500 if the model fails.
  Step next();

 private:
  struct Inbox;

  void submit_more();
  void submit(size_t index);

  TextModel& model_;
  std::vector<infer::GenerationRequest> requests_;
  std::function<bool()> is_abandoned_;
  std::shared_ptr<Inbox> inbox_;
  std::vector<infer::Generator::RequestId> ids_;  // of those submitted
  size_t ended_ = 0;
  bool has_token_ = false;
  Timer timer_;
};

}  // namespace danlu::serve
