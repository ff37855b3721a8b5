// One request under way: which tokens go through the network next, and what becomes of the logits.
//
//   wait -> start -> { take -> read (each row it needs) -> advance } until the event has a finish
//
// A piece of the answer may hold guesses behind its token (prompt_lookup.h). A guess is right if the sampler, with the random number of
// that place, says the same; behind the first that is wrong everything is left out. So the answer is that without guesses.
//
// Threads: one at a time, but read() for several rows of a prompt at once.
#pragma once

#include <algorithm>
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
  // At most `lookup` guesses at a time.
  Sequence(Generator::RequestId id, GenerationRequest request, Generator::OnEvent on_event, int64_t lookup);

  Generator::RequestId id() const { return id_; }
  std::span<const data::TokenId> prompt() const { return request_.prompt; }
  // Tokens of the prompt whose logits it can do without: all but the last.
  int64_t reusable() const;

  void start(const KvCache::Claim& claim);
  bool started() const { return claim_.slot >= 0; }
  int64_t slot() const { return claim_.slot; }
  int64_t cached() const { return claim_.cached; }
  bool in_prompt() const { return fed_ < static_cast<int64_t>(request_.prompt.size()); }

  // The tokens that follow in the cache, at most `limit`: of the prompt, or a token of the answer and guesses.
  Piece take(int64_t limit);
  // Does it need the logits of a row of that piece?
  bool needs(int64_t row) const;
  // The logits (V) of such a row, which are changed; those of an answer in their order. Throws NumericError as Sampler does.
  void read(int64_t row, std::span<float> logits);
  // What the step has brought, once every row that it needs was read and the prompt is done.
  GenerationEvent advance(const LanguageModel& model);
  // Tokens of the cache that are the sequence's: less than was taken where guesses were wrong.
  int64_t length() const { return fed_; }
  // Of the last piece.
  int64_t guessed() const { return std::ssize(guesses_); }
  int64_t confirmed() const { return std::max<int64_t>(std::ssize(chosen_) - 1, 0); }
  // The last event of one that does not go on.
  GenerationEvent end(const std::string& error);

  // False if the receiver wants no more.
  bool deliver(const GenerationEvent& event) const;

 private:
  std::span<const data::TokenId> generated() const { return std::span(tokens_).subspan(request_.prompt.size()); }
  FinishReason accept(const LanguageModel& model, TokenLogprob& chosen, GenerationEvent& event);

  Generator::RequestId id_;
  GenerationRequest request_;
  Generator::OnEvent on_event_;
  Sampler sampler_;
  TextStream text_;
  KvCache::Claim claim_{-1, 0};
  int64_t fed_ = 0;          // tokens in the cache, those of the last piece among them
  int64_t piece_begin_ = 0;  // position of its first
  std::vector<data::TokenId> tokens_;  // the prompt, and what was chosen behind it
  int64_t accepted_ = 0;               // of those behind it
  std::vector<data::TokenId> guesses_;
  std::vector<TokenLogprob> chosen_;   // by the rows of the last piece, up to the first that was not as guessed
  int64_t lookup_, promising_;         // guesses at most, and as the last ones were right
  std::vector<TokenLogprob> prompt_logprobs_;
};

}  // namespace danlu::infer
