#include "danlu/learn/nn/compact_weight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/temporary_directory.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/random.h"
#include "danlu/learn/nn/init.h"
#include "danlu/learn/nn/layers.h"
#include "danlu/learn/train/checkpoint.h"

namespace danlu::nn {
namespace {

using testing::HasSubstr;

Tensor normal_tensor(const Shape& shape, uint64_t seed) {
  manual_seed(seed);
  Tensor x = Tensor::empty(shape);
  normal(x, 1);
  return x;
}

// Of a weight, without loss where its numbers are multiples of a scale.
std::shared_ptr<Int8Weight> int8_of(const Tensor& weight, float scale, float low, float high) {
  Tensor q = Tensor::empty(weight.shape(), Dtype::u8);
  for (int64_t i = 0; i < weight.numel(); ++i) q.mutable_data<uint8_t>()[i] = static_cast<uint8_t>(std::lround(weight.data()[i] / scale) + 128);
  return std::make_shared<Int8Weight>(q, Tensor::full({weight.size(0)}, scale), Tensor::from({2}, {low, high}));
}

// Whole numbers from -3 to 3, a quarter of them 0.
Tensor small_integers(const Shape& shape, uint64_t seed) {
  Tensor x = normal_tensor(shape, seed);
  for (float& v : x.mutable_span()) v = std::min(std::max(std::nearbyint(1.2f * v), -3.0f), 3.0f);
  return x;
}

void expect_equal(const Tensor& got, const Tensor& expected, double tolerance = 1e-4) {
  ASSERT_EQ(got.shape(), expected.shape());
  for (int64_t i = 0; i < got.numel(); ++i) ASSERT_NEAR(got.data()[i], expected.data()[i], tolerance) << i;
}

TEST(CompactWeight, IntegersOfALinearLayerSayWhatItsNumbersSay) {
  const NoGrad no_grad;
  Linear layer(6, 5);
  layer.weight.copy_from(small_integers({5, 6}, 1));
  layer.bias.copy_from(normal_tensor({5}, 2));
  const Tensor x = small_integers({3, 2, 6}, 3);
  for (const Activation activation : {Activation::none, Activation::relu, Activation::tanh}) {
    Linear compact(6, 5);
    compact.bias.copy_from(layer.bias);
    compact.set_compact_weight(int8_of(layer.weight, 1, -127, 100));
    expect_equal(compact.forward(x, activation), layer.forward(x, activation));
  }
}

TEST(CompactWeight, LayersOfIntegersHandThemOn) {
  const NoGrad no_grad;
  const auto make = [] { return Sequential(Conv2d(2, 4, 3, {.padding = 1}), ReLU(), MaxPool2d(2), Dropout(0.5f), Flatten(), Linear(4 * 2 * 2, 3), ReLU(), Linear(3, 2)); };
  Sequential real = make(), compact = make();
  real.eval();
  compact.eval();
  // Scales that make every number of a layer's input whole, so that nothing is rounded.
  const std::pair<const char*, float> kHigh[] = {{"0", -127}, {"5", 255}, {"7", 2550}};
  for (size_t i = 0; i < 3; ++i) {
    for (size_t c = 0; c < real.size(); ++c) {
      if (real.children()[c].first != kHigh[i].first) continue;
      auto* from = static_cast<WeightedLayer*>(real.children()[c].second.get());
      auto* to = static_cast<WeightedLayer*>(compact.children()[c].second.get());
      from->weight.copy_from(small_integers(from->weight.shape(), 10 + i));
      if (i == 2) {
        for (float& w : from->weight.mutable_span()) w *= 0.5f;
      }
      to->set_compact_weight(int8_of(from->weight, i == 2 ? 0.5f : 1.0f, std::min(kHigh[i].second, 0.0f), std::abs(kHigh[i].second)));
    }
  }
  compact.plan();
  const Tensor x = small_integers({2, 4, 4, 2}, 20);
  // The last layer's input is rounded to multiples of ten.
  expect_equal(compact(x), real(x), 5 * 3 * 1.5 + 1e-3);
  EXPECT_THAT(compact.describe(), HasSubstr("Linear(16, 3, int8)"));
}

TEST(CompactWeight, WithoutTheZerosTheAnswersAreTheSame) {
  const NoGrad no_grad;
  for (const bool few : {true, false}) {
    Linear layer(40, 7), compact(40, 7);
    layer.weight.copy_from(normal_tensor({7, 40}, 4));
    for (int64_t i = 0; i < layer.weight.numel(); ++i) {
      if (i % 10 != 0 && (few || i % 2 == 0)) layer.weight.mutable_data()[i] = 0;
    }
    compact.bias.copy_from(layer.bias);
    const auto sparse = std::make_shared<SparseWeight>(layer.weight);
    expect_equal(sparse->dense(), layer.weight, 0);
    compact.set_compact_weight(sparse);
    for (const int64_t rows : {1, 5, 70}) expect_equal(compact(normal_tensor({rows, 40}, 5)), layer(normal_tensor({rows, 40}, 5)));
  }
  Conv2d conv(2, 3, 3), compact(2, 3, 3);
  conv.weight.mutable_data()[1] = 0;
  compact.set_compact_weight(std::make_shared<SparseWeight>(conv.weight));
  expect_equal(compact(normal_tensor({1, 5, 5, 2}, 6)), conv(normal_tensor({1, 5, 5, 2}, 6)));
}

using Tensors = std::vector<formats::NamedTensor>;

class InAFile : public testing::Test {
 protected:
  InAFile() {
    int8_.set_compact_weight(int8_of(small_integers({3, 4}, 7), 0.5f, -1, 2));
    Tensor few = normal_tensor({3, 12}, 8);
    for (int64_t i = 0; i < few.numel(); ++i) few.mutable_data()[i] *= i % 5 == 0;
    sparse_.set_compact_weight(std::make_shared<SparseWeight>(few));
  }
  // Reads it into a fresh layer.
  Linear read(const Linear& layer, const std::function<void(Tensors&)>& change = {}) {
    Tensors tensors;
    for (const auto& all : {layer.named_parameters(), layer.named_buffers()}) {
      for (const NamedTensor& t : all) tensors.push_back({t.name, t.tensor.clone()});
    }
    if (change) change(tensors);
    formats::write_safetensors(path_, tensors);
    Linear fresh(layer.weight_shape()[1], layer.weight_shape()[0]);
    const formats::SafetensorsFile file(path_);
    take_compact_weights(fresh, file, path_.string());
    train::load_checkpoint(path_, fresh);
    return fresh;
  }
  void expect_refused(const Linear& layer, const std::string& words, const std::function<void(Tensors&)>& change) {
    EXPECT_THAT([&] { read(layer, change); }, testing::ThrowsMessage<DataError>(testing::AllOf(HasSubstr(words), HasSubstr(path_.string())))) << words;
  }
  static Tensor& tensor(Tensors& all, const char* name) {
    return std::find_if(all.begin(), all.end(), [&](const auto& t) { return t.name == name; })->tensor;
  }
  const TemporaryDirectory directory_;
  const fs::path path_ = directory_ / "model.safetensors";
  Linear int8_{4, 3}, sparse_{12, 3};
};

TEST_F(InAFile, ItComesBack) {
  const NoGrad no_grad;
  const Tensor x = normal_tensor({2, 4}, 9), wide = normal_tensor({2, 12}, 9);
  expect_equal(read(int8_)(x), int8_(x), 0);
  expect_equal(read(sparse_)(wide), sparse_(wide), 0);
  EXPECT_EQ(count_weights(read(int8_)), 15);
  const formats::SafetensorsFile file(path_);
  EXPECT_EQ(bytes_when_dense(file), 48);
}

TEST_F(InAFile, DamagedOnesAreRefused) {
  expect_refused(int8_, "weight_scale: got nan", [](Tensors& all) { tensor(all, "weight_scale").mutable_data()[1] = NAN; });
  expect_refused(int8_, "weight_scale: got 0", [](Tensors& all) { tensor(all, "weight_scale").mutable_data()[1] = 0; });
  expect_refused(int8_, "weight_scale: got f32 (2,)", [](Tensors& all) { tensor(all, "weight_scale") = Tensor::zeros({2}); });
  expect_refused(int8_, "input_range: got 1 to 2", [](Tensors& all) { tensor(all, "input_range") = Tensor::from({2}, {1, 2}); });
  expect_refused(int8_, "input_range: got -1 to inf", [](Tensors& all) { tensor(all, "input_range").mutable_data()[1] = INFINITY; });
  expect_refused(int8_, "weight_int8: got (3, 5); the model has (3, 4)", [](Tensors& all) { tensor(all, "weight_int8") = Tensor::zeros({3, 5}, Dtype::u8); });
  expect_refused(int8_, "weight_int8: got f32", [](Tensors& all) { tensor(all, "weight_int8") = Tensor::zeros({3, 4}); });
  expect_refused(int8_, "weight_scale", [](Tensors& all) { std::erase_if(all, [](const auto& t) { return t.name == "weight_scale"; }); });
  expect_refused(sparse_, "set bits for", [](Tensors& all) { tensor(all, "weight_mask").mutable_data<uint8_t>()[0] ^= 2; });
  expect_refused(sparse_, "beyond its 12 inputs", [](Tensors& all) {
    uint8_t* mask = tensor(all, "weight_mask").mutable_data<uint8_t>();
    mask[0] ^= 1;
    mask[1] |= 0x80;
  });
  expect_refused(sparse_, "weight_mask: got u8 (3, 1)", [](Tensors& all) { tensor(all, "weight_mask") = Tensor::zeros({3, 1}, Dtype::u8); });
}

TEST(CompactWeight, InputsThatDoNotFitAreRefused) {
  const NoGrad no_grad;
  Linear layer(4, 3);
  layer.set_compact_weight(int8_of(small_integers({3, 4}, 7), 1, -1, 1));
  EXPECT_THROW(layer(Tensor::zeros({2, 5})), ShapeError);
  Conv2d conv(2, 3, 3);
  conv.set_compact_weight(int8_of(small_integers({3, 2, 3, 3}, 7), 1, 0, 1));
  EXPECT_THROW(conv(Tensor::zeros({1, 2, 2, 2})), ShapeError);
  EXPECT_THROW(conv(Tensor::zeros({1, 4, 4, 3})), ShapeError);
}

}  // namespace
}  // namespace danlu::nn
