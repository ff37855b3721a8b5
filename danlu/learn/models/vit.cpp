#include "danlu/learn/models/vit.h"

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/ops/dropout.h"
#include "danlu/engine/ops/elementwise.h"
#include "danlu/engine/ops/movement.h"
#include "danlu/engine/ops/reduce.h"
#include "danlu/learn/models/require_image.h"
#include "danlu/learn/nn/embedding.h"
#include "danlu/learn/nn/transformer_encoder.h"

namespace danlu::models {
namespace {

constexpr const char* kWhere = "learn.vit";
constexpr double kDeviation = 0.02;

class VitModel : public nn::Module {
 public:
  VitModel(const VitOptions& o, const Shape& input, int64_t outputs)
      : options_(o), patches_(input[0] / o.patch * (input[1] / o.patch)) {
    embed_ = add("patches", nn::Conv2d(input[2], o.width, o.patch, {.stride = o.patch}));
    positions_ = add("positions", nn::Embedding(patches_, o.width, kDeviation));
    encoder_ = add("encoder", nn::TransformerEncoder({.layers = o.layers, .heads = o.heads, .width = o.width, .hidden = o.hidden, .head_dim = o.head_dim, .dropout = o.dropout}));
    head_ = add("head", nn::Linear(o.width, outputs, true, nn::Init::xavier));
  }

  Tensor forward(const Tensor& images) override {
    const Tensor patches = reshape((*embed_)(images), {images.size(0), patches_, options_.width});
    return (*head_)(drop(mean((*encoder_)(drop(patches + positions_->weight)), 1)));
  }

  std::string describe() const override {
    return fmt::format("ViT({} patches of {} x {}, {} layers, {} heads, {} wide)", patches_, options_.patch, options_.patch, options_.layers,
                       options_.heads, options_.width);
  }

 private:
  Tensor drop(const Tensor& x) const {
    return is_training() && options_.dropout > 0 ? dropout(x, static_cast<float>(options_.dropout)) : x;
  }

  VitOptions options_;
  int64_t patches_;
  std::shared_ptr<nn::Conv2d> embed_;
  std::shared_ptr<nn::Embedding> positions_;
  std::shared_ptr<nn::TransformerEncoder> encoder_;
  std::shared_ptr<nn::Linear> head_;
};

}  // namespace

void VitOptions::describe(OptionVisitor& v) {
  v.field("patch", patch, {1, 1024}, "height and width of a patch; divides those of the images");
  v.field("layers", layers, {1, 1000}, "blocks of attention and feed-forward");
  v.field("heads", heads, {1, 4096}, "attention heads");
  v.field("width", width, {1, 1e6}, "channels");
  v.field("hidden", hidden, {0, 1e7}, "channels of the feed-forward layer; 0: 4 width");
  v.field("head_dim", head_dim, {0, 1e6}, "channels of a head; 0: width / heads");
  v.field("dropout", dropout, {0, 0.99}, "fraction dropped of the embedding and of each branch in training");
}

void check_vit(const VitOptions& o, const Locate& locate, const std::string& prefix) {
  if (o.head_dim > 0 || o.width % o.heads == 0) return;
  const std::string path = prefix + ".heads", place = locate ? locate(path) : "";
  throw ConfigError(kWhere, fmt::format("{}{}{}: got {} for a width of {}; expected a divisor of it, or a head_dim", place, place.empty() ? "" : ": ", path, o.heads, o.width));
}

std::unique_ptr<nn::Module> make_vit(const VitOptions& o, const Shape& input, int64_t outputs) {
  check_vit(o, {}, "model");
  require_image("vit", input);
  if (input[0] % o.patch != 0 || input[1] % o.patch != 0) {
    throw ConfigError(kWhere, fmt::format("model.patch: got {} for images of {} x {}; expected a divisor of both", o.patch, input[0], input[1]));
  }
  return std::make_unique<VitModel>(o, input, outputs);
}

}  // namespace danlu::models
