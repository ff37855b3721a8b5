#include "danlu/learn/models/vgg.h"

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/learn/models/require_image.h"
#include "danlu/learn/nn/conv_norm.h"

namespace danlu::models {

void VggOptions::describe(OptionVisitor& v) {
  v.field("width", width, {1, 65536}, "channels of the first stage; each further one has twice as many");
  v.field("blocks", blocks, {1, 1000}, "convolutions of each stage");
  v.field("hidden", hidden, {1, 1e7}, "width of the hidden layer before the head");
  v.field("dropout", dropout, {0, 0.99}, "fraction of the features dropped before and behind the hidden layer in training");
}

std::unique_ptr<nn::Module> make_vgg(const VggOptions& o, const Shape& input, int64_t outputs) {
  require_image("vgg", input, o.blocks);
  auto model = std::make_unique<nn::Sequential>();
  int64_t height = input[0], width = input[1], channels = input[2];
  for (size_t stage = 0; stage < o.blocks.size(); ++stage) {
    if (height < 2 || width < 2) {
      throw ConfigError("learn.models", fmt::format("model.blocks: got {} stages, but images of {} x {} can be halved {} times; expected fewer",
                                                    o.blocks.size(), input[0], input[1], stage));
    }
    const int64_t filters = o.width << stage;
    for (int64_t block = 0; block < o.blocks[stage]; ++block) {
      model->append(fmt::format("stages.{}.{}", stage, block), nn::ConvNorm(channels, filters, 3, {.padding = 1}));
      channels = filters;
    }
    model->append(fmt::format("stages.{}.pool", stage), nn::MaxPool2d(2));
    height /= 2;
    width /= 2;
  }
  const auto dropout = static_cast<float>(o.dropout);
  model->append("flatten", nn::Flatten());
  if (o.dropout > 0) model->append("dropout", nn::Dropout(dropout));
  model->append("hidden", nn::Linear(height * width * channels, o.hidden));
  model->append("relu", nn::ReLU());
  if (o.dropout > 0) model->append("hidden_dropout", nn::Dropout(dropout));
  model->append("head", nn::Linear(o.hidden, outputs, true, nn::Init::xavier));
  return model;
}

}  // namespace danlu::models
