#include "danlu/learn/models/sequential.h"

#include <algorithm>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/ops/dropout.h"
#include "danlu/engine/ops/elementwise.h"
#include "danlu/learn/models/recommender_parts.h"
#include "danlu/learn/nn/embedding.h"
#include "danlu/learn/nn/recurrent.h"
#include "danlu/learn/nn/sequence.h"
#include "danlu/learn/nn/transformer_encoder.h"

namespace danlu::models {
namespace {

constexpr double kDeviation = 0.05;

class Sequential : public Recommender {
 public:
  Sequential(const SequentialOptions& o, const Audience& audience) : options_(o), item_count_(audience.items) {
    items_ = add("items", nn::Embedding(audience.items + 1, o.width, kDeviation));  // row 0 is padding
    if (o.layer == "transformer") {
      positions_ = add("positions", nn::Embedding(o.length, o.width, kDeviation));
      encoder_ = add("encoder", nn::TransformerEncoder({.layers = o.layers, .heads = o.heads, .width = o.width, .dropout = o.dropout, .causal = true}));
    } else {
      recurrent_ = add("recurrent", nn::Recurrent(o.layer == "lstm" ? nn::Cell::lstm : nn::Cell::gru, o.width, o.width, {.layers = o.layers, .dropout = o.dropout}));
    }
    bias_ = add_parameter("bias", Tensor::zeros({audience.items}));
  }

  int64_t length() const override { return options_.length; }
  bool foretells_every_position() const override { return true; }

  Tensor queries(const Tensor& x) override {
    const Tensor ids = last_items(x);
    const Tensor vectors = (*items_)(ids);
    if (recurrent_) return with_one(drop(recurrent_->forward(drop(vectors), nn::lengths_of(ids))));
    Tensor positions = Tensor::empty(ids.shape(), Dtype::i64);
    for (int64_t i = 0; i < positions.numel(); ++i) positions.mutable_data<int64_t>()[i] = i % ids.size(1);
    return with_one((*encoder_)(drop(vectors + (*positions_)(positions))));
  }

  Tensor items() override { return with_bias(slice(items_->weight, 0, 1, 1 + item_count_), bias_); }

  std::string describe() const override {
    return fmt::format("Sequential({} {} layers, {} wide, {} items, the last {})", options_.layers, options_.layer, options_.width, item_count_, options_.length);
  }

 private:
  Tensor drop(const Tensor& x) const { return is_training() && options_.dropout > 0 ? dropout(x, static_cast<float>(options_.dropout)) : x; }

  // The last `length` of each row: (N, T) with T <= length. Rows that are no longer stay as they are, so that every position keeps its target.
  Tensor last_items(const Tensor& x) const {
    const int64_t columns = x.size(1) - 1;
    if (columns <= options_.length) return slice(x, 1, 1, 1 + columns);
    Tensor ids = Tensor::zeros({x.size(0), options_.length}, Dtype::i64);
    for (int64_t n = 0; n < x.size(0); ++n) {
      const int64_t* row = x.data<int64_t>() + n * x.size(1) + 1;
      const int64_t count = std::find(row, row + columns, 0) - row, shown = std::min(count, options_.length);
      std::copy_n(row + count - shown, shown, ids.mutable_data<int64_t>() + n * options_.length);
    }
    return ids;
  }

  SequentialOptions options_;
  int64_t item_count_;
  std::shared_ptr<nn::Embedding> items_, positions_;
  std::shared_ptr<nn::TransformerEncoder> encoder_;  // or recurrent_
  std::shared_ptr<nn::Recurrent> recurrent_;
  Tensor bias_;
};

}  // namespace

void SequentialOptions::describe(OptionVisitor& v) {
  v.choice("layer", layer, {"transformer", "gru", "lstm"}, "what reads the items: attention over those before, or a recurrent network");
  v.field("width", width, {1, 1e5}, "numbers of an item's vector, and channels of the layers");
  v.field("layers", layers, {1, 100}, "layers over each other");
  v.field("heads", heads, {1, 4096}, "attention heads of a transformer");
  v.field("length", length, {1, 1e5}, "items that it looks back on");
  v.field("dropout", dropout, {0, 0.99}, "fraction dropped of the vectors and of each layer in training");
}

void check_sequential(const SequentialOptions& o, const Locate& locate, const std::string& prefix) {
  if (o.layer != "transformer" || o.width % o.heads == 0) return;
  const std::string path = prefix.empty() ? "heads" : prefix + ".heads", place = locate ? locate(path) : "";
  throw ConfigError("learn.sequential", fmt::format("{}{}{}: got {} for a width of {}; expected a divisor of it", place, place.empty() ? "" : ": ", path, o.heads, o.width));
}

std::unique_ptr<Recommender> make_sequential(const SequentialOptions& options, const Audience& audience) {
  return std::make_unique<Sequential>(options, audience);
}

}  // namespace danlu::models
