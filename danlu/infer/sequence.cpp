#include "danlu/infer/sequence.h"

#include <algorithm>
#include <utility>

#include "danlu/infer/prompt_lookup.h"

namespace danlu::infer {
namespace {

constexpr int64_t kFirstGuesses = 3;

}  // namespace

Sequence::Sequence(Generator::RequestId id, GenerationRequest request, Generator::OnEvent on_event, int64_t lookup)
    : id_(id),
      request_(std::move(request)),
      on_event_(std::move(on_event)),
      sampler_(request_.sampling),
      text_(request_.stop),
      tokens_(request_.prompt),
      lookup_(lookup),
      promising_(std::min(kFirstGuesses, lookup)) {
  if (request_.logprobs < 0) request_.prompt_logprobs = false;
  if (request_.prompt_logprobs) {
    prompt_logprobs_.resize(request_.prompt.size());
    prompt_logprobs_.front().id = request_.prompt.front();
  }
}

int64_t Sequence::reusable() const { return request_.prompt_logprobs ? 0 : static_cast<int64_t>(request_.prompt.size()) - 1; }

void Sequence::start(const KvCache::Claim& claim) {
  claim_ = claim;
  fed_ = claim.cached;
}

Piece Sequence::take(int64_t limit) {
  piece_begin_ = fed_;
  chosen_.clear();
  guesses_.clear();
  Piece piece{claim_.slot, {}};
  if (in_prompt()) {
    const auto count = std::min(limit, static_cast<int64_t>(request_.prompt.size()) - fed_);
    piece.tokens.assign(request_.prompt.begin() + fed_, request_.prompt.begin() + fed_ + count);
  } else {
    piece.tokens = {tokens_.back()};
    guesses_ = look_up(tokens_, std::min({limit - 1, promising_, request_.max_tokens - accepted_ - 1}));
    piece.tokens.insert(piece.tokens.end(), guesses_.begin(), guesses_.end());
  }
  fed_ += static_cast<int64_t>(piece.tokens.size());
  return piece;
}

bool Sequence::needs(int64_t row) const {
  const bool next_is_prompt = piece_begin_ + row + 1 < static_cast<int64_t>(request_.prompt.size());
  return next_is_prompt ? request_.prompt_logprobs : request_.max_tokens > 0;
}

void Sequence::read(int64_t row, std::span<float> logits) {
  const auto next = static_cast<size_t>(piece_begin_ + row + 1);
  if (next < request_.prompt.size()) {
    prompt_logprobs_[next] = token_logprob(logits, request_.prompt[next], request_.logprobs);
    return;
  }
  const bool is_guess = row > 0 && !guesses_.empty();
  if (tokens_.size() != next || (is_guess && tokens_.back() != guesses_[static_cast<size_t>(row - 1)])) return;  // behind a wrong one
  if (request_.logprobs >= 0) {
    const std::vector<float> model_logits(logits.begin(), logits.end());
    chosen_.push_back(token_logprob(model_logits, sampler_.next(logits, request_.prompt, generated()), request_.logprobs));
  } else {
    chosen_.push_back({sampler_.next(logits, request_.prompt, generated()), {}, {}});
  }
  tokens_.push_back(chosen_.back().id);
}

GenerationEvent Sequence::advance(const LanguageModel& model) {
  GenerationEvent event;
  if (accepted_ == 0) {
    event.cached_tokens = claim_.cached;
    event.logprobs = std::move(prompt_logprobs_);
  }
  if (request_.max_tokens == 0) event.finish = FinishReason::length;
  for (TokenLogprob& chosen : chosen_) {
    if (event.finish == FinishReason::none) event.finish = accept(model, chosen, event);
  }
  if (!guesses_.empty()) {
    fed_ = piece_begin_ + std::ssize(chosen_);
    promising_ = std::min(2 * confirmed() + 1, lookup_);
  }
  if (event.finish != FinishReason::none) event.text += text_.finish();
  return event;
}

// Adds a chosen token to the answer.
FinishReason Sequence::accept(const LanguageModel& model, TokenLogprob& chosen, GenerationEvent& event) {
  const data::TokenId token = chosen.id;
  ++accepted_;
  event.tokens.push_back(token);
  if (request_.logprobs >= 0) event.logprobs.push_back(std::move(chosen));

  const bool is_end = std::find(model.eos.begin(), model.eos.end(), token) != model.eos.end();
  if (is_end && !request_.ignore_eos) return FinishReason::stop;
  if (!is_end && !model.tokenizer.is_special(token)) event.text += text_.push(model.tokenizer.token_bytes(token));
  if (text_.stopped()) return FinishReason::stop;
  // The token itself needs no room: only one that follows does.
  const bool is_full = accepted_ >= request_.max_tokens || std::ssize(request_.prompt) + accepted_ > model.network->options().context;
  return is_full ? FinishReason::length : FinishReason::none;
}

GenerationEvent Sequence::end(const std::string& error) {
  GenerationEvent event;
  event.text = text_.finish();
  event.finish = FinishReason::cancelled;
  event.error = error;
  return event;
}

bool Sequence::deliver(const GenerationEvent& event) const {
  try {
    return on_event_(event);
  } catch (...) {
    return false;  // a receiver that fails wants no more; the others go on
  }
}

}  // namespace danlu::infer
