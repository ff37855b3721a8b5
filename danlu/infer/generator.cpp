#include "danlu/infer/generator.h"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "danlu/base/check.h"
#include "danlu/base/format.h"
#include "danlu/base/threads.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/batch_invariant.h"
#include "danlu/infer/cached_forward.h"
#include "danlu/infer/sequence.h"

namespace danlu::infer {
namespace {

constexpr const char* kWhere = "infer.generator";
constexpr int64_t kLogits = int64_t{1} << 23;  // in memory at a time: 32 MiB
constexpr int64_t kAnswerRows = 16;            // of a step, guesses among them: more rows take longer than the reading of the weights

void check(const GenerationRequest& request, const models::GptOptions& network) {
  check(request.sampling);
  const auto refuse = [](const std::string& message) { throw ConfigError(kWhere, message); };
  const auto tokens = static_cast<int64_t>(request.prompt.size());
  if (tokens == 0) refuse("prompt: got no tokens; expected at least one; begin with the model's bos or end-of-text token");
  if (tokens > network.context) {
    refuse(fmt::format("prompt: got {} tokens; expected at most the model's context, {}", tokens, network.context));
  }
  const auto check_id = [&](const char* what, data::TokenId id) {
    if (id < 0 || id >= network.vocab_size) refuse(fmt::format("{}: got token {}; expected 0 to {}", what, id, network.vocab_size - 1));
  };
  for (const data::TokenId id : request.prompt) check_id("prompt", id);
  for (const auto& [id, bias] : request.sampling.logit_bias) check_id("logit_bias", id);
  if (request.max_tokens < 0) refuse(fmt::format("max_tokens: got {}; expected at least 0", request.max_tokens));
  if (request.logprobs < -1) refuse(fmt::format("logprobs: got {}; expected at least 0, or -1 for none", request.logprobs));
  for (const std::string& stop : request.stop) {
    if (stop.empty()) refuse("stop: got an empty text, which would end every answer; expected some text");
  }
}

kernels::CacheFormat cache_format(const std::string& word, const models::Gpt& network) {
  if (word == "auto") return default_cache_format(network);
  return word == "f16" ? kernels::CacheFormat::f16 : kernels::CacheFormat::f32;
}

}  // namespace

void GeneratorOptions::describe(OptionVisitor& v) {
  v.field("max_sequences", max_sequences, {1, 1024}, "answers that are written at the same time");
  v.field("queue_capacity", queue_capacity, {1, 1e6}, "requests that may wait; one more is refused");
  v.field("prefill_chunk", prefill_chunk, {1, 1e6}, "prompt tokens of one step: more read prompts faster, fewer keep answers flowing");
  v.field("threads", threads, {0, 1024}, "compute threads; 0 takes every processor");
  decoding.describe(v);
}

void DecodingOptions::describe(OptionVisitor& v) {
  v.choice("kv_cache", kv_cache, {"auto", "f32", "f16"}, "keys and values of what was read: f16 takes half the memory of f32; auto is f16 for weights of few bits");
  v.field("lookup", lookup, {0, kAnswerRows - 1}, "tokens of an answer that a step may guess, from where prompt or answer went on from the same words, and check; the answer does not change; 0: none");
}

class Generator::Impl {
 public:
  Impl(std::shared_ptr<LanguageModel> model, const GeneratorOptions& options)
      : model_(std::move(model)),
        options_(options),
        cache_(model_->network->options(), options.max_sequences, cache_format(options.decoding.kv_cache, *model_->network)),
        worker_([this, threads = options.threads > 0 ? static_cast<int>(options.threads) : num_threads()] {
          set_num_threads(threads);
          loop();
        }) {}

  ~Impl() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    worker_.join();
  }

  RequestId submit(GenerationRequest request, OnEvent on_event);
  void cancel(RequestId id);
  const LanguageModel& model() const { return *model_; }
  Statistics statistics() const;

 private:
  using Owned = std::unique_ptr<Sequence>;
  // A sequence that takes part in a step, and what went wrong with it.
  struct Part {
    Sequence* sequence;
    std::string error;
  };
  // Parts that go through the network together.
  struct Group {
    kernels::BatchInvariant::Rows rows;
    std::vector<Part> parts;
    std::vector<Piece> pieces;  // one for each
  };

  void loop();
  bool wait_for_work();
  Owned next_waiting();
  bool is_cancelled(const Sequence& sequence) const;
  void end_cancelled();

  void step();
  void plan(Group& answers, Group& prompts);
  bool admit();
  void run(Group& group);
  void read_logits(const Tensor& hidden, Group& group);
  void advance(const Part& part);
  void finish(Sequence* sequence, const GenerationEvent& event, bool keep_cache);
  Owned discard(Sequence* sequence, bool keep_cache);

  const std::shared_ptr<LanguageModel> model_;
  const GeneratorOptions options_;
  KvCache cache_;               // the worker's, as is running_
  std::vector<Owned> running_;  // in the order of their arrival

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Owned> waiting_;
  std::map<RequestId, bool> live_;  // running and waiting: cancelled?
  RequestId last_id_ = 0;
  Statistics counts_;
  bool stopping_ = false;
  std::thread worker_;
};

Generator::RequestId Generator::Impl::submit(GenerationRequest request, OnEvent on_event) {
  check(request, model_->network->options());
  const std::lock_guard lock(mutex_);
  if (static_cast<int64_t>(waiting_.size()) >= options_.queue_capacity) {
    throw QueueFull(kWhere, fmt::format("{} requests wait already, as many as may; try again later", waiting_.size()));
  }
  const RequestId id = ++last_id_;
  waiting_.push_back(std::make_unique<Sequence>(id, std::move(request), std::move(on_event), options_.decoding.lookup));
  live_[id] = false;
  wake_.notify_one();
  return id;
}

void Generator::Impl::cancel(RequestId id) {
  const std::lock_guard lock(mutex_);
  if (const auto found = live_.find(id); found != live_.end()) found->second = true;
}

Generator::Statistics Generator::Impl::statistics() const {
  const std::lock_guard lock(mutex_);
  Statistics result = counts_;
  result.waiting = static_cast<int64_t>(waiting_.size());
  result.running = static_cast<int64_t>(live_.size()) - result.waiting;
  return result;
}

void Generator::Impl::loop() {
  while (wait_for_work()) {
    end_cancelled();
    step();
  }
  while (Owned sequence = next_waiting()) running_.push_back(std::move(sequence));
  while (!running_.empty()) finish(running_.front().get(), running_.front()->end(""), true);
}

// False when the generator stops.
bool Generator::Impl::wait_for_work() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [&] { return stopping_ || !waiting_.empty() || !running_.empty(); });
  return !stopping_;
}

Generator::Impl::Owned Generator::Impl::next_waiting() {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) return nullptr;
  Owned sequence = std::move(waiting_.front());
  waiting_.pop_front();
  return sequence;
}

bool Generator::Impl::is_cancelled(const Sequence& sequence) const {
  const std::lock_guard lock(mutex_);
  return live_.at(sequence.id());
}

void Generator::Impl::end_cancelled() {
  {
    // Those that wait leave the queue to end here with the others.
    const std::lock_guard lock(mutex_);
    for (Owned& sequence : waiting_) {
      if (live_.at(sequence->id())) running_.push_back(std::move(sequence));
    }
    std::erase(waiting_, nullptr);
  }
  for (size_t i = 0; i < running_.size();) {
    Sequence& sequence = *running_[i];
    if (is_cancelled(sequence)) {
      finish(&sequence, sequence.end(""), true);
    } else {
      ++i;
    }
  }
}

// Frees the place of a sequence.
Generator::Impl::Owned Generator::Impl::discard(Sequence* sequence, bool keep_cache) {
  if (sequence->started()) cache_.release(sequence->slot(), keep_cache);
  const auto found = std::find_if(running_.begin(), running_.end(), [&](const Owned& owned) { return owned.get() == sequence; });
  Owned owned = std::move(*found);
  running_.erase(found);
  const std::lock_guard lock(mutex_);
  live_.erase(owned->id());
  return owned;
}

// Its place is free when its receiver hears of the end.
void Generator::Impl::finish(Sequence* sequence, const GenerationEvent& event, bool keep_cache) {
  discard(sequence, keep_cache)->deliver(event);
}

// A token of each answer, with guesses of what follows if there is room, and as many tokens of prompts as fit. They pass the network
// apart, each by the products that suit them, so that what comes out depends neither on the other kind nor on how many there are.
void Generator::Impl::step() {
  Group answers{kernels::BatchInvariant::Rows::few, {}, {}}, prompts{kernels::BatchInvariant::Rows::many, {}, {}};
  plan(answers, prompts);
  run(answers);
  run(prompts);
}

void Generator::Impl::plan(Group& answers, Group& prompts) {
  const auto take = [](Group& group, Sequence& sequence, int64_t limit) {
    group.parts.push_back({&sequence, {}});
    group.pieces.push_back(sequence.take(limit));
    return static_cast<int64_t>(group.pieces.back().tokens.size());
  };
  const auto in_answer = std::count_if(running_.begin(), running_.end(), [](const Owned& s) { return !s->in_prompt(); });
  for (const Owned& sequence : running_) {
    if (sequence->in_prompt()) continue;
    const int64_t context = model_->network->options().context;
    take(answers, *sequence, std::clamp<int64_t>(kAnswerRows / in_answer, 1, context - sequence->length()));
  }
  size_t i = 0;
  for (int64_t budget = options_.prefill_chunk; budget > 0;) {
    if (i == running_.size()) {
      if (!admit()) break;
    } else {
      if (running_[i]->in_prompt()) budget -= take(prompts, *running_[i], budget);
      ++i;
    }
  }
}

// Lets a waiting sequence run; false if there is none or no place for it.
bool Generator::Impl::admit() {
  if (static_cast<int64_t>(running_.size()) == options_.max_sequences) return false;
  Owned waiting = next_waiting();
  if (waiting == nullptr) return false;
  Sequence& sequence = *running_.emplace_back(std::move(waiting));
  try {
    const auto claim = cache_.claim(sequence.prompt(), sequence.reusable());
    DANLU_CHECK(claim.has_value(), "there is a slot for each running sequence");
    sequence.start(*claim);
  } catch (const std::exception& error) {
    finish(&sequence, sequence.end(error.what()), false);
    return true;
  }
  const std::lock_guard lock(mutex_);
  counts_.prompt_tokens += static_cast<int64_t>(sequence.prompt().size());
  counts_.cached_tokens += sequence.cached();
  return true;
}

void Generator::Impl::run(Group& group) {
  if (group.pieces.empty()) return;
  try {
    const NoGrad no_grad;
    const kernels::BatchInvariant guard(group.rows);
    read_logits(cached_forward(*model_->network, cache_, group.pieces), group);
  } catch (const std::exception& error) {
    // The cache of every part may be half written.
    for (const Part& part : group.parts) finish(part.sequence, part.sequence->end(error.what()), false);
    return;
  }
  for (const Part& part : group.parts) advance(part);
}

// Hands the sequences the logits that they need, as many rows at a time as fit in memory.
void Generator::Impl::read_logits(const Tensor& hidden, Group& group) {
  struct Row {
    Part* part;
    int64_t in_piece, in_hidden;
    std::string error;
  };
  std::vector<Row> needed;
  int64_t begin = 0;
  for (size_t i = 0; i < group.parts.size(); ++i) {
    Part& part = group.parts[i];
    const auto rows = static_cast<int64_t>(group.pieces[i].tokens.size());
    for (int64_t row = 0; row < rows; ++row) {
      if (part.sequence->needs(row)) needed.push_back({&part, row, begin + row, {}});
    }
    begin += rows;
  }
  const int64_t width = hidden.size(1), vocabulary = model_->network->options().vocab_size;
  const auto at_once = static_cast<size_t>(std::max<int64_t>(1, kLogits / vocabulary));
  for (size_t first = 0; first < needed.size(); first += at_once) {
    const std::span<Row> rows = std::span(needed).subspan(first, std::min(at_once, needed.size() - first));
    const auto count = static_cast<int64_t>(rows.size());
    Tensor gathered = Tensor::empty({count, width});
    for (int64_t i = 0; i < count; ++i) {
      std::memcpy(gathered.mutable_data() + i * width, hidden.data() + rows[static_cast<size_t>(i)].in_hidden * width,
                  static_cast<size_t>(width) * sizeof(float));
    }
    Tensor logits = model_->network->logits(gathered);
    const std::span<float> values = logits.mutable_span();
    // Rows of an answer are read in their order, those of a prompt in any.
    std::vector<int64_t> begins;
    for (int64_t i = 0; i < count; ++i) {
      const bool in_order = group.rows == kernels::BatchInvariant::Rows::few && i > 0;
      if (!in_order || rows[static_cast<size_t>(i)].part != rows[static_cast<size_t>(i - 1)].part) begins.push_back(i);
    }
    begins.push_back(count);
    parallel_for(std::ssize(begins) - 1, 1, [&](int64_t from, int64_t to) {
      for (int64_t i = begins[static_cast<size_t>(from)]; i < begins[static_cast<size_t>(to)]; ++i) {
        Row& row = rows[static_cast<size_t>(i)];
        try {
          row.part->sequence->read(row.in_piece, values.subspan(static_cast<size_t>(i * vocabulary), static_cast<size_t>(vocabulary)));
        } catch (const std::exception& error) {
          row.error = error.what();  // of this sequence alone
        }
      }
    });
    for (const Row& row : rows) {
      if (!row.error.empty()) row.part->error = row.error;
    }
  }
}

void Generator::Impl::advance(const Part& part) {
  Sequence& sequence = *part.sequence;
  if (!part.error.empty()) return finish(&sequence, sequence.end(part.error), true);
  if (sequence.in_prompt()) return;
  const GenerationEvent event = sequence.advance(*model_);
  cache_.cut(sequence.slot(), sequence.length());
  {
    const std::lock_guard lock(mutex_);
    counts_.generated_tokens += static_cast<int64_t>(event.tokens.size());
    counts_.guessed_tokens += sequence.guessed();
    counts_.confirmed_tokens += sequence.confirmed();
  }
  if (event.finish != FinishReason::none) return finish(&sequence, event, true);
  if (!sequence.deliver(event)) discard(&sequence, true);
}

// ---- The public face -----------------------------------------------------------------------------------------------------------

Generator::Generator(std::shared_ptr<LanguageModel> model, const GeneratorOptions& options) {
  GeneratorOptions checked;
  read_options(write_options(options), checked);
  impl_ = std::make_unique<Impl>(std::move(model), checked);
}

Generator::~Generator() = default;

Generator::RequestId Generator::submit(GenerationRequest request, OnEvent on_event) {
  return impl_->submit(std::move(request), std::move(on_event));
}

void Generator::cancel(RequestId id) { impl_->cancel(id); }

const LanguageModel& Generator::model() const { return impl_->model(); }

Generator::Statistics Generator::statistics() const { return impl_->statistics(); }

Generation generate(Generator& generator, GenerationRequest request) {
  // Shared with the generator's thread, which may still be about to return from set_value when this one goes on.
  const auto ended = std::make_shared<std::promise<std::string>>();
  Generation result;
  generator.submit(std::move(request), [&result, ended](const GenerationEvent& event) {
    result.text += event.text;
    result.tokens.insert(result.tokens.end(), event.tokens.begin(), event.tokens.end());
    result.logprobs.insert(result.logprobs.end(), event.logprobs.begin(), event.logprobs.end());
    result.cached_tokens += event.cached_tokens;
    result.finish = event.finish;
    if (event.finish != FinishReason::none) ended->set_value(event.error);
    return true;
  });
  if (const std::string error = ended->get_future().get(); !error.empty()) throw Error(kWhere, error);
  return result;
}

}  // namespace danlu::infer
