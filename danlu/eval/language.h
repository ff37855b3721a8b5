// How well a language model foretells a text: loss, perplexity, bits per byte, token accuracy.
//
//   LanguageScore score;
//   score.add(logits, targets, vocab_size);
//   LanguageReport report = summarize(score, bytes);
//
// Bits per byte compares models with different tokenisers; loss and perplexity do not.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/eval/bootstrap.h"

namespace danlu::eval {

// Sums over the tokens of a text.
struct LanguageScore {
  double nats = 0;
  int64_t tokens = 0;
  int64_t correct = 0;  // the most probable token was the right one

  // logits: (targets.size(), vocab_size), row-major; a target below 0 does not count. Throws ShapeError if the sizes do not
  // fit, or for a target outside the vocabulary.
  void add(std::span<const float> logits, std::span<const int64_t> targets, int64_t vocab_size);
  LanguageScore& operator+=(const LanguageScore& other);
};

struct LanguageReport {
  double loss = 0;  // nats a token
  Interval loss_interval;
  double perplexity = 0;
  double bits_per_byte = 0;
  double token_accuracy = 0;
  int64_t tokens = 0, bytes = 0;
};

// `windows` are the scores of the pieces that the text was read in; the interval is the bootstrap over them. `bytes` is the
// length of the text that the counted tokens stand for. Throws DataError if nothing counts.
LanguageReport summarize(std::span<const LanguageScore> windows, int64_t bytes, const BootstrapOptions& options = {});

Json to_json(const LanguageReport& report);
std::string to_text(const LanguageReport& report);

}  // namespace danlu::eval
