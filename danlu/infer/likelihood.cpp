#include "danlu/infer/likelihood.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::infer {
namespace {

constexpr const char* kWhere = "infer.likelihood";
constexpr int64_t kAtOnce = 64;  // requests in the queue

struct Encoded {
  std::vector<data::TokenId> tokens;
  int64_t continuation = 0;  // how many tokens at the end are it
};

Encoded encode(const LanguageModel& model, const ContinuationRequest& request) {
  std::string context = request.context, continuation = request.continuation;
  const size_t end = context.find_last_not_of(" \t\r\n\f\v") + 1;  // npos + 1 is 0
  continuation.insert(0, context.substr(end));
  context.resize(end);
  if (continuation.empty()) throw DataError(kWhere, "got an empty continuation; expected some text");
  Encoded encoded;
  if (context.empty()) {
    if (const auto start = model.tokenizer.bos() ? model.tokenizer.bos() : model.tokenizer.eos()) encoded.tokens.push_back(*start);
  }
  const size_t before = encoded.tokens.size() + model.tokenizer.encode(context).size();
  model.tokenizer.encode(context + continuation, encoded.tokens);
  encoded.continuation = static_cast<int64_t>(encoded.tokens.size() - before);
  const int64_t limit = model.network->options().context;
  if (const auto size = static_cast<int64_t>(encoded.tokens.size()); size > limit) {
    encoded.tokens.erase(encoded.tokens.begin(), encoded.tokens.begin() + (size - limit));
  }
  if (encoded.continuation < 1 || encoded.continuation >= static_cast<int64_t>(encoded.tokens.size())) {
    throw DataError(kWhere, fmt::format("got a continuation of {} tokens; expected 1 to {}, the model's context less one: \"{}\"",
                                        encoded.continuation, limit - 1, request.continuation.substr(0, 60)));
  }
  return encoded;
}

// Waits until as few as `n` of its pieces of work are left.
class Pending {
 public:
  void begin() {
    const std::lock_guard lock(mutex_);
    ++count_;
  }
  void end(std::string error) {
    const std::lock_guard lock(mutex_);
    --count_;
    if (!error.empty()) error_ = std::move(error);
    changed_.notify_all();
  }
  void wait_for(int64_t n) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return count_ <= n; });
  }
  const std::string& error() const { return error_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t count_ = 0;
  std::string error_;
};

Likelihood sum_up(const std::vector<TokenLogprob>& scored, int64_t continuation) {
  Likelihood result{0, continuation, true};
  for (size_t i = scored.size() - static_cast<size_t>(continuation); i < scored.size(); ++i) {
    result.logprob += scored[i].logprob.value();
    result.greedy = result.greedy && scored[i].id == scored[i].top.at(0).first;
  }
  return result;
}

}  // namespace

std::vector<Likelihood> likelihoods(Generator& generator, std::span<const ContinuationRequest> requests) {
  std::vector<Likelihood> results(requests.size());
  std::vector<Encoded> encoded;
  for (const ContinuationRequest& request : requests) encoded.push_back(encode(generator.model(), request));
  Pending pending;
  for (size_t i = 0; i < encoded.size(); ++i) {
    GenerationRequest request;
    request.prompt = encoded[i].tokens;
    request.max_tokens = 0;
    request.logprobs = 1;
    request.prompt_logprobs = true;
    pending.wait_for(kAtOnce - 1);
    pending.begin();
    generator.submit(std::move(request), [&, i, scored = std::vector<TokenLogprob>()](const GenerationEvent& event) mutable {
      scored.insert(scored.end(), event.logprobs.begin(), event.logprobs.end());
      if (event.finish == FinishReason::none) return true;
      if (event.error.empty()) results[i] = sum_up(scored, encoded[i].continuation);
      pending.end(event.error);
      return true;
    });
  }
  pending.wait_for(0);
  if (!pending.error().empty()) throw Error(kWhere, pending.error());
  return results;
}

}  // namespace danlu::infer
