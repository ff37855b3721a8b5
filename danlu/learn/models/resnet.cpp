#include "danlu/learn/models/resnet.h"

#include "danlu/base/format.h"
#include "danlu/learn/models/require_image.h"
#include "danlu/learn/nn/conv_norm.h"

namespace danlu::models {
namespace {

class ResidualBlock : public nn::Module {
 public:
  ResidualBlock(int64_t in, int64_t out, int64_t stride)
      : in_(in), out_(out), stride_(stride), first_(add("first", nn::ConvNorm(in, out, 3, {.stride = stride, .padding = 1}))), second_(add("second", nn::ConvNorm(out, out, 3, {.padding = 1}))) {
    if (in != out || stride != 1) shortcut_ = add("shortcut", nn::ConvNorm(in, out, 1, {.stride = stride}));
    second_->begin_with_zero();
  }
  Tensor forward(const Tensor& x) override {
    const Tensor carried = shortcut_ ? shortcut_->forward(x, 1) : x;
    return second_->forward((*first_)(x), 0, carried);
  }
  std::string describe() const override { return fmt::format("Residual({}, {}, stride={})", in_, out_, stride_); }

 private:
  int64_t in_, out_, stride_;
  std::shared_ptr<nn::ConvNorm> first_, second_, shortcut_;
};

}  // namespace

void ResNetOptions::describe(OptionVisitor& v) {
  v.field("width", width, {1, 65536}, "channels of the first stage; each further one has twice as many");
  v.field("blocks", blocks, {1, 1000}, "residual blocks of each stage");
  v.choice("stem", stem, {"small", "medium", "large"}, "small: one 3 x 3 convolution; medium: 3 x 3 and pooling, to half of height and width; large: 7 x 7 and pooling, to a quarter");
  v.field("dropout", dropout, {0, 0.99}, "fraction of the features dropped before the head in training");
}

std::unique_ptr<nn::Module> make_resnet(const ResNetOptions& o, const Shape& input, int64_t outputs) {
  require_image("resnet", input, o.blocks);
  auto model = std::make_unique<nn::Sequential>();
  int64_t channels = o.width;
  if (o.stem == "large") {
    model->append("stem", nn::ConvNorm(input[2], channels, 7, {.stride = 2, .padding = 3}));
    model->append("pool", nn::MaxPool2d(3, 2, 1));
  } else {
    model->append("stem", nn::ConvNorm(input[2], channels, 3, {.padding = 1}));
    if (o.stem == "medium") model->append("pool", nn::MaxPool2d(2));
  }
  for (size_t stage = 0; stage < o.blocks.size(); ++stage) {
    for (int64_t block = 0; block < o.blocks[stage]; ++block) {
      const bool begins = stage > 0 && block == 0;
      model->append(fmt::format("stages.{}.{}", stage, block), ResidualBlock(channels, begins ? 2 * channels : channels, begins ? 2 : 1));
      if (begins) channels *= 2;
    }
  }
  model->append("mean", nn::GlobalAvgPool());
  if (o.dropout > 0) model->append("dropout", nn::Dropout(static_cast<float>(o.dropout)));
  model->append("head", nn::Linear(channels, outputs, true, nn::Init::xavier));
  return model;
}

}  // namespace danlu::models
