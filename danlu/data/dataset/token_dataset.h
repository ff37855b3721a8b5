// Windows over a stream of tokens: what a language model is trained and measured on.
#pragma once

#include "danlu/base/options.h"
#include "danlu/data/dataset/dataset.h"
#include "danlu/data/text/token_shards.h"

namespace danlu::data {

struct TokenDatasetOptions {
  int64_t context = 256;
  std::optional<int64_t> stride = {};  // absent: context
  bool isolate_documents = true;
  bool random_offset = true;

  void describe(OptionVisitor& v);
};

// Sample i is the window of `context` tokens that begins at token i * stride.
//
// x i64 (N, T): the tokens.   y i64 (N, T): the token after each, -1 where there is none to predict.
// first i64 (N, T): where the document of each position begins in the window; 0 for one that began before it. Undefined
// unless documents are isolated.
//
// Isolated documents share windows and nothing else: no position attends to another document or predicts its tokens. A
// stream without bos and eos is one document.
//
// Phase::train with random_offset: the window begins up to stride - 1 tokens later, by (seed, epoch, i), so that in the
// long run every cut is seen.
// Phase::evaluate: every token but the first is a target exactly once. Where windows overlap (stride < context) that is in
// the window that shows more before it. The last window is filled up with positions without a target.
class TokenDataset : public Dataset {
 public:
  // Throws ConfigError for options out of range; DataError if there are fewer than two tokens.
  TokenDataset(TokenShards tokens, const TokenDatasetOptions& options);
  int64_t size() const override { return size_; }
  int64_t default_prefetch() const override { return 2; }

  int64_t context() const { return context_; }
  const TokenShards& tokens() const { return tokens_; }

 protected:
  void fill(std::span<const int64_t> indexes, Batch& batch, const Variant& variant) const override;

 private:
  int64_t begin_of(int64_t index, const Variant& variant) const;
  // One row of the batch. `window` has room for context + 1 tokens.
  void fill_tokens(int64_t begin, std::span<int64_t> window, int64_t* x, int64_t* y) const;
  void isolate(const int64_t* x, int64_t* y, int64_t* first) const;

  TokenShards tokens_;
  int64_t context_, stride_, size_;
  bool isolate_, random_offset_;
};

}  // namespace danlu::data
