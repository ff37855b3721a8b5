#include "danlu/infer/sample_text.h"

#include <algorithm>

namespace danlu::infer {

std::string sample_text(const data::Tokenizer& tokenizer) {
  constexpr int64_t kTokens = 256;
  std::string text = "The furnace is lit: 3.14, 1,000 and 2026-01-31.\n\n  def f(x): return x\t# 火候到了，丹就成了。 Ünïcödé \U0001F525";
  const int64_t step = std::max<int64_t>(1, tokenizer.vocab_size() / kTokens);
  for (int64_t id = 0; id < tokenizer.vocab_size(); id += step) text += tokenizer.token_bytes(static_cast<data::TokenId>(id));
  return text;
}

}  // namespace danlu::infer
