#include "danlu/data/image/preprocess.h"

#include <gtest/gtest.h>

#include "danlu/data/image/testing.h"

namespace danlu::data {
namespace {

TEST(Preprocess, FitsOnTheTrainingSplitOnly) {
  // Two training samples of 1 x 2 RGB and one that is not, of wild values.
  const std::vector<uint8_t> values{0, 10, 9, 100, 30, 9, /**/ 255, 255, 255, 255, 255, 255, /**/ 0, 20, 9, 100, 20, 9};
  const Tensor pixels = Tensor::from({3, 1, 2, 3}, std::span<const uint8_t>(values));
  const std::vector<int64_t> train{0, 2};
  const ImagePreprocess p = ImagePreprocess::fit(pixels, train);
  EXPECT_NEAR(p.mean()[0], 50.0 / 255, 1e-12);
  EXPECT_NEAR(p.std()[0], 50.0 / 255, 1e-12);
  EXPECT_NEAR(p.mean()[1], 20.0 / 255, 1e-12);
  EXPECT_NEAR(p.std()[1], std::sqrt(50.0) / 255, 1e-12);
  EXPECT_EQ(p.std()[2], 1) << "a constant channel";
  float out[6];
  p.normalize(values.data(), out);
  EXPECT_FLOAT_EQ(out[0], -1);
  EXPECT_FLOAT_EQ(out[3], 1);
  EXPECT_NEAR(out[2], 0, 1e-7);
}

TEST(Preprocess, EveryLengthAgreesWithTheFormula) {
  for (const int64_t width : {1, 2, 15, 16, 17, 28, 48, 50}) {
    const ImagePreprocess p(1, width, {0.1, 0.2, 0.3}, {0.5, 0.25, 0.125});
    std::vector<uint8_t> in(static_cast<size_t>(3 * width));
    for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<uint8_t>(i * 37);
    std::vector<float> out(in.size());
    p.normalize(in.data(), out.data());
    for (size_t i = 0; i < in.size(); ++i)
      EXPECT_NEAR(out[i], (in[i] / 255.0 - p.mean()[i % 3]) / p.std()[i % 3], 1e-5);
  }
}

TEST(Preprocess, DenormalizedIsWhatItWas) {
  std::vector<uint8_t> all(256 * 3);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint8_t>(i / 3);
  for (const double std : {1e-3, 0.25, 1.0}) {
    const ImagePreprocess p(16, 16, {0.1, 0.5, 0.9}, {std, std, std});
    std::vector<float> x(all.size());
    p.normalize(all.data(), x.data());
    const Image image = p.denormalize(x.data());
    EXPECT_EQ(image.pixels, all) << std;
    EXPECT_EQ(image.height * image.width * image.channels, 768);
  }
  const float far[] = {-1e9f, 1e9f};
  EXPECT_EQ(ImagePreprocess(1, 2, {0.5}, {0.5}).denormalize(far).pixels, (std::vector<uint8_t>{0, 255}));
}

TEST(Preprocess, SavedAndReplayed) {
  const ImagePreprocess p(4, 4, {0.286}, {0.353});
  const ImagePreprocess q = ImagePreprocess::from_json(p.to_json(), "preprocess.json");
  const std::vector<Image> images{{4, 4, 1, std::vector<uint8_t>(16, 100)}, {8, 6, 3, std::vector<uint8_t>(144, 100)}};
  const Tensor x = q.encode(images);
  EXPECT_EQ(x.shape(), Shape({2, 4, 4, 1}));
  EXPECT_EQ(x.to_vector(), p.encode(images).to_vector());
  for (const float value : x.span()) EXPECT_FLOAT_EQ(value, static_cast<float>((100 / 255.0 - 0.286) / 0.353));
}

TEST(Preprocess, DamagedJson) {
  const auto error = [](const char* text) {
    return error_of([&] { ImagePreprocess::from_json(parse_json(text, "x"), "preprocess.json"); });
  };
  EXPECT_TRUE(contains(error("{}"), "preprocess.json: "));
  EXPECT_TRUE(contains(error(R"({"height": 2, "width": 2, "mean": [0], "std": [0]})"),
                       "preprocess.json: got mean 0 and std 0"));
  EXPECT_TRUE(contains(error(R"({"height": 2, "width": -2, "mean": [0], "std": [1]})"), "expected sides of 1 to"));
  EXPECT_TRUE(contains(error(R"({"height": 2, "width": 2, "mean": ["a"], "std": [1]})"),
                       "expected height, width, mean and std"));
}

}  // namespace
}  // namespace danlu::data
