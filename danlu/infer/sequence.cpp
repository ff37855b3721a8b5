#include "danlu/infer/sequence.h"

#include <algorithm>
#include <utility>

namespace danlu::infer {

Sequence::Sequence(Generator::RequestId id, GenerationRequest request, Generator::OnEvent on_event)
    : id_(id), request_(std::move(request)), on_event_(std::move(on_event)), sampler_(request_.sampling), text_(request_.stop) {
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
  Piece piece{claim_.slot, {}};
  if (in_prompt()) {
    const auto count = std::min(limit, static_cast<int64_t>(request_.prompt.size()) - fed_);
    piece.tokens.assign(request_.prompt.begin() + fed_, request_.prompt.begin() + fed_ + count);
  } else {
    piece.tokens = {generated_.back()};
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
  } else if (request_.logprobs >= 0) {
    const std::vector<float> model_logits(logits.begin(), logits.end());
    next_ = token_logprob(model_logits, sampler_.next(logits, request_.prompt, generated_), request_.logprobs);
  } else {
    next_.id = sampler_.next(logits, request_.prompt, generated_);
  }
}

GenerationEvent Sequence::advance(const LanguageModel& model) {
  GenerationEvent event;
  if (generated_.empty()) {
    event.cached_tokens = claim_.cached;
    event.logprobs = std::move(prompt_logprobs_);
  }
  event.finish = request_.max_tokens == 0 ? FinishReason::length : accept(model, event);
  if (event.finish != FinishReason::none) event.text += text_.finish();
  return event;
}

// Adds the chosen token to the answer.
FinishReason Sequence::accept(const LanguageModel& model, GenerationEvent& event) {
  const data::TokenId token = next_.id;
  generated_.push_back(token);
  event.tokens.push_back(token);
  if (request_.logprobs >= 0) event.logprobs.push_back(std::move(next_));

  const bool is_end = std::find(model.eos.begin(), model.eos.end(), token) != model.eos.end();
  if (is_end && !request_.ignore_eos) return FinishReason::stop;
  if (!is_end && !model.tokenizer.is_special(token)) event.text = text_.push(model.tokenizer.token_bytes(token));
  if (text_.stopped()) return FinishReason::stop;
  // The token itself needs no room: only one that follows does.
  const auto generated = static_cast<int64_t>(generated_.size()), length = static_cast<int64_t>(request_.prompt.size()) + generated;
  const bool is_full = generated >= request_.max_tokens || length > model.network->options().context;
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
