#include "danlu/learn/models/bag_of_tokens.h"

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/ops/dropout.h"
#include "danlu/learn/nn/embedding.h"
#include "danlu/learn/nn/layers.h"
#include "danlu/learn/nn/sequence.h"

namespace danlu::models {
namespace {

constexpr const char* kWhere = "learn.bag_of_tokens";
constexpr double kDeviation = 0.02;

class BagOfTokens : public nn::Module {
 public:
  BagOfTokens(const BagOfTokensOptions& options, int64_t outputs) : options_(options) {
    tokens_ = add("tokens", nn::Embedding(options.vocab_size, options.width, kDeviation));
    head_ = add("head", nn::Linear(options.width, outputs, true, nn::Init::xavier));
  }

  Tensor forward(const Tensor& ids) override {
    if (ids.rank() != 2) throw ShapeError(kWhere, fmt::format("got ids of shape {}; expected (N, T)", ids.shape().str()));
    const Tensor x = (*tokens_)(ids), mean = nn::mean_between(x, Tensor::zeros({ids.size(0)}, Dtype::i64), nn::lengths_of(ids));
    return (*head_)(is_training() && options_.dropout > 0 ? dropout(mean, static_cast<float>(options_.dropout)) : mean);
  }

  std::string describe() const override { return fmt::format("BagOfTokens({} wide)", options_.width); }

 private:
  BagOfTokensOptions options_;
  std::shared_ptr<nn::Embedding> tokens_;
  std::shared_ptr<nn::Linear> head_;
};

}  // namespace

void BagOfTokensOptions::describe(OptionVisitor& v) {
  v.field("vocab_size", vocab_size, {0, 1e8}, "rows of the embedding; 0: the tokeniser's");
  v.field("width", width, {1, 1e6}, "channels of the embedding");
  v.field("dropout", dropout, {0, 0.99}, "fraction of the mean that is dropped in training");
}

std::unique_ptr<nn::Module> make_bag_of_tokens(const BagOfTokensOptions& options, const Shape& input, int64_t outputs) {
  if (input.rank() != 1) throw ConfigError(kWhere, fmt::format("got samples of shape {}; expected (T) tokens: this model reads text", input.str()));
  if (options.vocab_size < 2) {
    throw ConfigError(kWhere, fmt::format("model.vocab_size: got {}; expected the tokens of a text and padding: this model reads text, set data.text.column", options.vocab_size));
  }
  return std::make_unique<BagOfTokens>(options, outputs);
}

}  // namespace danlu::models
