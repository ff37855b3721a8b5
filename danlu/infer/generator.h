// Text generation: many requests at once through one language model.
//
//   Generator generator(LanguageModel::load("runs/poet/bundle"));
//   generator.submit({.prompt = ids, .max_tokens = 64}, [](const GenerationEvent& event) { std::cout << event.text; return true; });
//
// One thread runs the model. Requests that are under way share each step: a step takes the next token of every running sequence and
// a piece of the prompts that wait, so that a newcomer neither waits for the others nor stalls them. The keys and values of a
// prompt that begins as an earlier one did are taken over from there.
//
// With the same seed a request has the same answer, to the last bit of its logits, whatever runs beside it. (What a prompt takes over from
// an earlier answer, not from an earlier prompt, was rounded otherwise: some 1e-6 of a logit.)
// Threads   submit and cancel from any thread; events come from the generator's own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "danlu/base/error.h"
#include "danlu/base/options.h"
#include "danlu/data/text/tokenizer.h"
#include "danlu/infer/language_model.h"
#include "danlu/infer/logprobs.h"
#include "danlu/infer/sampler.h"

namespace danlu::infer {

struct GenerationRequest {
  std::vector<data::TokenId> prompt = {};  // 1 to context tokens
  int64_t max_tokens = 16;            // 0: the prompt is only scored
  SamplingOptions sampling = {};
  std::vector<std::string> stop = {};  // the text ends before the first of these; none is empty
  int logprobs = -1;                  // alternatives to report for each token; -1: no log-probabilities at all
  bool prompt_logprobs = false;       // for the tokens of the prompt too, which then takes nothing from earlier ones
  bool ignore_eos = false;            // go on behind an end token
};

// stop: an end token or a stop string. length: max_tokens, or no room left in the context.
enum class FinishReason { none, stop, length, cancelled };

struct GenerationEvent {
  std::string text;                        // whole UTF-8 characters, nothing that may still turn out to be a stop string
  std::vector<data::TokenId> tokens;       // generated since the last event, with the end token, which has no text
  std::vector<TokenLogprob> logprobs;      // if asked for: of the prompt in the first event, then of `tokens`
  FinishReason finish = FinishReason::none;  // other than none in the last event only
  std::string error;                       // what went wrong with this request: finish is cancelled
  int64_t cached_tokens = 0;               // of the prompt, taken over from an earlier request; in the first event
};

struct DecodingOptions {
  std::string kv_cache = "auto";  // numbers of the cache: f32, f16 (half the memory), or default_cache_format()
  int64_t lookup = 0;             // tokens that may be guessed in a step (prompt_lookup.h); answers are the same, to the last bit
  void describe(OptionVisitor& v);
};

struct GeneratorOptions {
  int64_t max_sequences = 8;        // that run at once
  int64_t queue_capacity = 256;     // requests that may wait
  int64_t prefill_chunk = 256;      // prompt tokens of one step
  int64_t threads = 0;              // of the engine; 0: as it is set where the generator is made
  DecodingOptions decoding = {};
  void describe(OptionVisitor& v);
};

// As many requests wait as may.
class QueueFull : public Error {
  using Error::Error;
};

class Generator {
 public:
  explicit Generator(std::shared_ptr<LanguageModel> model, const GeneratorOptions& options = {});
  ~Generator();  // cancels what runs

  // Queues a request; events follow until one has a finish. on_event must be quick, for all wait for it; it returns false to end the
  // request, and is not called again then. Throws ConfigError for an empty prompt, one longer than the context, ids outside the
  // vocabulary or options out of range; QueueFull.
  using OnEvent = std::function<bool(const GenerationEvent& event)>;
  using RequestId = uint64_t;
  RequestId submit(GenerationRequest request, OnEvent on_event);
  void cancel(RequestId id);  // its last event, which is near, says cancelled; no effect if it has ended

  const LanguageModel& model() const;
  struct Statistics {
    int64_t running = 0, waiting = 0;
    int64_t prompt_tokens = 0, cached_tokens = 0, generated_tokens = 0;  // since the start
    int64_t guessed_tokens = 0, confirmed_tokens = 0;                    // by looking up, and those that were right
  };
  Statistics statistics() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// One request, to its end, in one call: the text and its tokens. Throws as submit does, and Error if the request fails.
struct Generation {
  std::string text;
  std::vector<data::TokenId> tokens;
  std::vector<TokenLogprob> logprobs;
  FinishReason finish = FinishReason::none;
  int64_t cached_tokens = 0;
};
Generation generate(Generator& generator, GenerationRequest request);

}  // namespace danlu::infer
