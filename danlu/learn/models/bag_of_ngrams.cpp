#include "danlu/learn/models/bag_of_ngrams.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/threads.h"
#include "danlu/engine/ops/elementwise.h"
#include "danlu/learn/nn/embedding.h"

namespace danlu::models {
namespace {

constexpr const char* kWhere = "learn.bag_of_ngrams";
constexpr int64_t kGrain = 16;  // texts

// Different ids of each text and their weights, padded with 0.
struct WeightedBag {
  Tensor ids, weights;  // i64 and f32 (N, T)
};

void weigh_text(std::span<const int64_t> text, std::span<const float> idf, std::vector<int64_t>& sorted, int64_t* ids, float* weights) {
  sorted.assign(text.begin(), text.end());
  std::sort(sorted.begin(), sorted.end());
  int64_t different = 0;
  double squares = 0;
  for (auto id = std::upper_bound(sorted.begin(), sorted.end(), nn::kPadding); id != sorted.end();) {
    const auto next = std::upper_bound(id, sorted.end(), *id);
    const float weight = (1 + std::log(static_cast<float>(next - id))) * idf[static_cast<size_t>(*id)];
    ids[different] = *id;
    weights[different++] = weight;
    squares += static_cast<double>(weight) * static_cast<double>(weight);
    id = next;
  }
  const auto scale = squares > 0 ? static_cast<float>(1 / std::sqrt(squares)) : 0.0f;
  for (int64_t i = 0; i < different; ++i) weights[i] *= scale;
}

WeightedBag tf_idf(const Tensor& ids, const Tensor& idf) {
  const int64_t texts = ids.size(0), length = ids.size(1);
  for (const int64_t id : ids.span<int64_t>()) {
    if (id < 0 || id >= idf.numel()) throw DataError(kWhere, fmt::format("got the n-gram {}; expected one in [0, {})", id, idf.numel()));
  }
  WeightedBag bag{Tensor::zeros(ids.shape(), Dtype::i64), Tensor::zeros(ids.shape())};
  int64_t* out = bag.ids.mutable_data<int64_t>();
  float* weights = bag.weights.mutable_data();
  parallel_for(texts, kGrain, [&](int64_t begin, int64_t end) {
    std::vector<int64_t> sorted;
    for (int64_t n = begin; n < end; ++n) {
      weigh_text(ids.span<int64_t>().subspan(static_cast<size_t>(n * length), static_cast<size_t>(length)), idf.span(), sorted, out + n * length, weights + n * length);
    }
  });
  return bag;
}

class BagOfNgrams : public nn::Module {
 public:
  BagOfNgrams(const BagOfNgramsOptions& options, int64_t outputs) {
    idf_ = add_buffer(kIdf, Tensor::full({options.vocab_size}, 1));
    ngrams_ = add("ngrams", nn::EmbeddingBag(options.vocab_size, outputs));
    bias_ = add_parameter("bias", Tensor::zeros({outputs}));
  }

  Tensor forward(const Tensor& ids) override {
    if (ids.rank() != 2) throw ShapeError(kWhere, fmt::format("got ids of shape {}; expected (N, T)", ids.shape().str()));
    const WeightedBag bag = tf_idf(ids, idf_);
    return ngrams_->forward(bag.ids, bag.weights) + bias_;
  }

  std::string describe() const override { return fmt::format("BagOfNgrams({} n-grams)", idf_.numel() - 1); }

 private:
  Tensor idf_, bias_;
  std::shared_ptr<nn::EmbeddingBag> ngrams_;
};

}  // namespace

void BagOfNgramsOptions::describe(OptionVisitor& v) { v.field("vocab_size", vocab_size, {0, 1e8}, "rows of weights; 0: those of the n-grams"); }

std::unique_ptr<nn::Module> make_bag_of_ngrams(const BagOfNgramsOptions& options, const Shape& input, int64_t outputs) {
  if (input.rank() != 1) throw ConfigError(kWhere, fmt::format("got samples of shape {}; expected (T) n-grams: this model reads text", input.str()));
  if (options.vocab_size < 2) {
    throw ConfigError(kWhere, fmt::format("model.vocab_size: got {}; expected n-grams and padding: this model reads text, set data.text.column", options.vocab_size));
  }
  return std::make_unique<BagOfNgrams>(options, outputs);
}

}  // namespace danlu::models
