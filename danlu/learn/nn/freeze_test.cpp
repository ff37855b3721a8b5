#include "danlu/learn/nn/freeze.h"

#include <gtest/gtest.h>

#include "danlu/base/error.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/reduce.h"
#include "danlu/learn/models/model.h"

namespace danlu::nn {
namespace {

std::string message_of(Module& model, const std::vector<std::string>& parts) {
  try {
    const Freeze freeze(model, parts);
  } catch (const ConfigError& error) {
    return error.message();
  }
  return "no error";
}

TEST(Freeze, KeepsWeightsAndStatisticsUntilItIsGone) {
  const auto model = models::parse_model(Json{{"type", "resnet"}, {"width", 4}, {"blocks", {1, 1}}}).make({8, 8, 3}, 2);
  const auto buffers = model->named_buffers();
  const Tensor x = Tensor::full({3, 8, 8, 3}, 0.5f);
  const auto mean = [&](const std::string& name) {
    for (const NamedTensor& b : buffers) {
      if (b.name == name + ".running_mean") return b.tensor.clone();
    }
    return Tensor();
  };
  const Tensor stem = mean("stem.norm"), last = mean("stages.1.0.first.norm");
  {
    const Freeze freeze(*model, {"stem", "stages.0"});
    model->train();
    backward(sum((*model)(x)));
    for (const NamedTensor& p : model->named_parameters()) {
      const bool frozen = p.name.starts_with("stem.") || p.name.starts_with("stages.0.");
      EXPECT_EQ(p.tensor.requires_grad(), !frozen) << p.name;
    }
    for (int64_t i = 0; i < 4; ++i) EXPECT_EQ(mean("stem.norm").data()[i], stem.data()[i]) << "the statistics of a frozen layer stand";
    float moved = 0;
    for (int64_t i = 0; i < 8; ++i) moved += std::abs(mean("stages.1.0.first.norm").data()[i] - last.data()[i]);
    EXPECT_GT(moved, 0) << "and those of the others move";
  }
  for (const NamedTensor& p : model->named_parameters()) EXPECT_TRUE(p.tensor.requires_grad()) << p.name;
  model->train();
  const NoGrad no_grad;
  (*model)(x);
  EXPECT_NE(mean("stem.norm").data()[0], stem.data()[0]);
}

TEST(Freeze, NamesWhatThereIs) {
  const auto model = models::parse_model(Json{{"type", "resnet"}, {"width", 4}, {"blocks", {1}}}).make({8, 8, 3}, 2);
  EXPECT_NE(message_of(*model, {"haed"}).find("got \"haed\""), std::string::npos) << message_of(*model, {"haed"});
  EXPECT_NE(message_of(*model, {"haed"}).find("did you mean \"head\"?"), std::string::npos) << message_of(*model, {"haed"});
  EXPECT_NE(message_of(*model, {"stem", "stages", "head"}).find("got all parts"), std::string::npos);
  EXPECT_FALSE(is_within("stages.01.weight", "stages.0"));
  EXPECT_TRUE(is_within("stages.0.weight", "stages.0"));
  EXPECT_TRUE(is_within("head.weight", "head.weight"));
}

}  // namespace
}  // namespace danlu::nn
