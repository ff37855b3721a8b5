#include "danlu/serve/openai/generation_job.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "danlu/base/format.h"
#include "danlu/base/log.h"
#include "danlu/serve/error.h"

namespace danlu::serve {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kAtOnce = 64;  // of one job in the generator: a long list leaves room for others
constexpr std::chrono::milliseconds kLookAround{100};  // for a client that has gone, or for room in the queue

}  // namespace

// Shared with the generator's thread, which may still have an event on its hands when the job is gone.
struct GenerationJob::Inbox {
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<std::pair<size_t, infer::GenerationEvent>> events;
  bool closed = false;

  bool put(size_t index, const infer::GenerationEvent& event) {
    {
      std::lock_guard lock(mutex);
      if (closed) return false;
      events.emplace_back(index, event);
    }
    wake.notify_one();
    return true;
  }
};

GenerationJob::GenerationJob(TextModel& model, std::vector<infer::GenerationRequest> requests,
                             std::function<bool()> is_abandoned)
    : model_(model),
      requests_(std::move(requests)),
      is_abandoned_(std::move(is_abandoned)),
      inbox_(std::make_shared<Inbox>()) {
  try {
    submit(0);
  } catch (const infer::QueueFull& error) {
    throw RequestError(429, "queue_full", error.message());
  } catch (const ConfigError& error) {
    throw RequestError(400, "bad_value", error.message());
  }
}

GenerationJob::~GenerationJob() {
  {
    std::lock_guard lock(inbox_->mutex);
    inbox_->closed = true;
  }
  if (ended_ == requests_.size()) return;
  for (const auto id : ids_) model_.generator().cancel(id);
}

void GenerationJob::submit(size_t index) {
  ids_.push_back(model_.generator().submit(
      requests_[index],
      [inbox = inbox_, index](const infer::GenerationEvent& event) { return inbox->put(index, event); }));
}

void GenerationJob::submit_more() {
  try {
    while (ids_.size() < requests_.size() && ids_.size() - ended_ < kAtOnce) submit(ids_.size());
  } catch (const infer::QueueFull&) {
    // The rest goes in when there is room: what the job has in there already will end.
  } catch (const ConfigError& error) {
    throw RequestError(400, "bad_value", error.message());
  }
}

GenerationJob::Step GenerationJob::next() {
  const Clock::time_point ping = Clock::now() + kPing;
  for (;;) {
    submit_more();
    if (ended_ == requests_.size()) return {};
    if (is_abandoned_()) {
      throw RequestError(503, "abandoned", "the client left, or the server had to stop, before the answer was ready");
    }
    std::unique_lock lock(inbox_->mutex);
    inbox_->wake.wait_for(lock, kLookAround, [&] { return !inbox_->events.empty(); });
    if (inbox_->events.empty()) {
      if (Clock::now() < ping) continue;
      return {.kind = Step::Kind::silent};
    }
    auto [index, event] = std::move(inbox_->events.front());
    inbox_->events.pop_front();
    lock.unlock();
    if (event.finish == infer::FinishReason::cancelled) {
      log(LogLevel::error, "serve.openai", fmt::format("{}: {}", model_.name(), event.error));
      throw RequestError(500, "generation_failed", "the model failed to answer; the server's log says why");
    }
    if (event.finish != infer::FinishReason::none) ++ended_;
    if (!has_token_ && !event.tokens.empty()) {
      has_token_ = true;
      model_.on_first_token(timer_.seconds());
    }
    return {Step::Kind::event, index, std::move(event)};
  }
}

}  // namespace danlu::serve
