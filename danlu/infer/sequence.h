// One request under way: which tokens go through the network next, and what becomes of the logits.
//
//   wait -> start -> { take -> read (each row it needs) -> advance } until the event has a finish
//
// Threads: one at a time, but read() for several rows at once.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "danlu/infer/cached_forward.h"
#include "danlu/infer/generator.h"
#include "danlu/infer/text_stream.h"

namespace danlu::infer {

class Sequence {
 public:
  Sequence(Generator::RequestId id, GenerationRequest request, Generator::OnEvent on_event);

  Generator::RequestId id() const { return id_; }
  std::span<const data::TokenId> prompt() const { return request_.prompt; }
  // Tokens of the prompt whose logits it can do without: all but the last.
  int64_t reusable() const;

  void start(const KvCache::Claim& claim);
  bool started() const { return claim_.slot >= 0; }
  int64_t slot() const { return claim_.slot; }
  int64_t cached() const { return claim_.cached; }
  bool in_prompt() const { return fed_ < static_cast<int64_t>(request_.prompt.size()); }

  // The tokens that follow in the cache: a token of the answer, or at most `limit` of the prompt.
  Piece take(int64_t limit);
  // Does it need the logits of a row of that piece?
  bool needs(int64_t row) const;
  // The logits (V) of such a row, which are changed. Throws NumericError as Sampler does.
  void read(int64_t row, std::span<float> logits);
  // What the step has brought, once every row that it needs was read and the prompt is done.
  GenerationEvent advance(const LanguageModel& model);
  // The last event of one that does not go on.
  GenerationEvent end(const std::string& error);

  // False if the receiver wants no more.
  bool deliver(const GenerationEvent& event) const;

 private:
  FinishReason accept(const LanguageModel& model, GenerationEvent& event);

  Generator::RequestId id_;
  GenerationRequest request_;
  Generator::OnEvent on_event_;
  Sampler sampler_;
  TextStream text_;
  KvCache::Claim claim_{-1, 0};
  int64_t fed_ = 0;          // tokens in the cache, those of the last piece among them
  int64_t piece_begin_ = 0;  // position of its first
  std::vector<data::TokenId> generated_;
  std::vector<TokenLogprob> prompt_logprobs_;
  TokenLogprob next_;        // the token just chosen
};

}  // namespace danlu::infer
