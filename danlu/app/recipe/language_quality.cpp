#include "danlu/app/recipe/language_quality.h"

#include <algorithm>

#include "danlu/data/dataset/loader.h"
#include "danlu/engine/autograd/tape.h"

namespace danlu::app {
namespace {

constexpr int64_t kEvaluationBatch = 8;
constexpr int64_t kLogitRows = 256;  // at a time

}  // namespace

LanguageQuality score_text(infer::LanguageModel& model, const data::TokenDataset& text) {
  const NoGrad no_grad;
  models::Gpt& network = *model.network;
  const int64_t width = network.options().width, vocab_size = network.options().vocab_size;
  LanguageQuality result;
  data::DataLoader loader(text, data::all_indexes(text), {.batch_size = kEvaluationBatch}, 0, data::Phase::evaluate);
  for (const data::Batch& batch : loader) {
    const int64_t length = batch.x.size(1);
    const Tensor hidden = network.hidden(batch.x, batch.first).view({batch.x.numel(), width});
    for (int64_t sequence = 0; sequence < batch.x.size(0); ++sequence) {
      eval::LanguageScore score;
      for (int64_t begin = 0; begin < length; begin += kLogitRows) {
        const int64_t from = sequence * length + begin, to = sequence * length + std::min(begin + kLogitRows, length);
        const auto targets = batch.y.span<int64_t>().subspan(static_cast<size_t>(from), static_cast<size_t>(to - from));
        score.add(network.logits(hidden.rows(from, to)).span(), targets, vocab_size);
        for (const int64_t id : targets) {
          if (id >= 0 && !model.tokenizer.is_special(static_cast<data::TokenId>(id))) {
            result.bytes += static_cast<int64_t>(model.tokenizer.token_bytes(static_cast<data::TokenId>(id)).size());
          }
        }
      }
      result.windows.push_back(score);
    }
  }
  return result;
}

}  // namespace danlu::app
