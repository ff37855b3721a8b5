#include "danlu/learn/models/mobilenet.h"

#include "danlu/base/format.h"
#include "danlu/learn/models/require_image.h"
#include "danlu/learn/nn/conv_norm.h"

namespace danlu::models {
namespace {

class InvertedResidual : public nn::Module {
 public:
  InvertedResidual(int64_t in, int64_t out, int64_t stride, int64_t expansion)
      : in_(in), out_(out), stride_(stride), expand_(add("expand", nn::ConvNorm(in, in * expansion, 1))),
        depthwise_(add("depthwise", nn::ConvNorm(in * expansion, in * expansion, 3, {.stride = stride, .padding = 1, .groups = in * expansion}))),
        project_(add("project", nn::ConvNorm(in * expansion, out, 1))),
        shortcut_(stride == 1 && in == out) {}
  Tensor forward(const Tensor& x) override {
    return project_->forward((*depthwise_)((*expand_)(x)), 1, shortcut_ ? x : Tensor());  // no activation on the narrow end
  }
  std::string describe() const override { return fmt::format("InvertedResidual({}, {}, stride={})", in_, out_, stride_); }

 private:
  int64_t in_, out_, stride_;
  std::shared_ptr<nn::ConvNorm> expand_, depthwise_, project_;
  bool shortcut_;
};

}  // namespace

void MobileNetOptions::describe(OptionVisitor& v) {
  v.field("width", width, {1, 65536}, "channels of the first stage; each further one has twice as many");
  v.field("blocks", blocks, {1, 1000}, "inverted residual blocks of each stage");
  v.field("expansion", expansion, {1, 64}, "how much wider a block is inside than at its ends");
  v.field("dropout", dropout, {0, 0.99}, "fraction of the features dropped before the head in training");
}

std::unique_ptr<nn::Module> make_mobilenet(const MobileNetOptions& o, const Shape& input, int64_t outputs) {
  require_image("mobilenet", input, o.blocks);
  auto model = std::make_unique<nn::Sequential>();
  int64_t channels = o.width;
  model->append("stem", nn::ConvNorm(input[2], channels, 3, {.padding = 1}));
  for (size_t stage = 0; stage < o.blocks.size(); ++stage) {
    for (int64_t block = 0; block < o.blocks[stage]; ++block) {
      const bool begins = stage > 0 && block == 0;
      model->append(fmt::format("stages.{}.{}", stage, block), InvertedResidual(channels, begins ? 2 * channels : channels, begins ? 2 : 1, o.expansion));
      if (begins) channels *= 2;
    }
  }
  model->append("last", nn::ConvNorm(channels, 4 * channels, 1));
  model->append("mean", nn::GlobalAvgPool());
  if (o.dropout > 0) model->append("dropout", nn::Dropout(static_cast<float>(o.dropout)));
  model->append("head", nn::Linear(4 * channels, outputs, true, nn::Init::xavier));
  return model;
}

}  // namespace danlu::models
