#include "danlu/app/recipe/image_strips.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "danlu/base/base64.h"
#include "danlu/base/temporary_directory.h"
#include "danlu/data/image/decode.h"

namespace danlu::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Eight images of 2 x 3, of two classes in turn; all pixels of one are its number times 20.
FittedData numbered() {
  data::LabeledImages images;
  std::vector<uint8_t> pixels;
  std::vector<int64_t> all;
  for (int i = 0; i < 8; ++i) {
    pixels.insert(pixels.end(), 6, static_cast<uint8_t>(20 * i));
    images.labels.push_back(i % 2);
    all.push_back(i);
  }
  images.pixels = Tensor::from({8, 2, 3, 1}, std::span<const uint8_t>(pixels));
  const auto preprocess = data::ImagePreprocess::fit(images.pixels, all);
  FittedData data;
  data.class_names = {"偶数", "odd/uneven"};
  data.preprocess = preprocess.to_json();
  data.training_samples = {0, 1, 2, 4, 6};
  data.dataset = std::make_unique<data::ImageDataset>(images, preprocess);
  return data;
}

TEST(ImageStrips, OfTrainingAreWhatItSees) {
  const std::vector<ImageStrip> strips = training_strips(numbered(), 7);
  ASSERT_EQ(strips.size(), 2u);
  EXPECT_EQ(strips[0].label, "偶数");
  std::set<int> seen;
  for (const data::Image& image : strips[0].images) {
    EXPECT_EQ(image.pixels, std::vector<uint8_t>(6, image.pixels[0]));
    seen.insert(image.pixels[0]);
  }
  EXPECT_THAT(seen, ElementsAre(0, 40, 80, 120));
  ASSERT_EQ(strips[1].images.size(), 1u) << "of the training samples alone";
  EXPECT_EQ(strips[1].images[0].pixels[0], 20);
}

TEST(ImageStrips, OfMistakesAreByMistake) {
  const auto example = [](const char* actual, const char* predicted, uint8_t pixel) {
    const std::string png = data::encode_png({1, 1, 1, {pixel}});
    return Json{{"actual", actual}, {"predicted", predicted}, {"input", {{"image", base64_encode(png)}}}};
  };
  const auto strips = wrong_strips({example("shirt", "coat", 1), example("bag", "coat", 2), example("shirt", "coat", 3)});
  ASSERT_EQ(strips.size(), 2u);
  EXPECT_EQ(strips[0].label, "coat, not shirt");
  ASSERT_EQ(strips[0].images.size(), 2u);
  EXPECT_EQ(strips[0].images[1].pixels, std::vector<uint8_t>{3});
  EXPECT_EQ(strips[1].label, "coat, not bag");
  EXPECT_TRUE(wrong_strips(Json::array()).empty());
}

TEST(ImageStrips, StandBesideEachOther) {
  const TemporaryDirectory directory;
  formats::EventWriter events(directory / "events");
  write_strips(events, "wrong", 3, {{"a", {{1, 2, 1, {1, 2}}, {1, 2, 1, {3, 4}}}}, {"none", {}}});
  const std::string bytes = read_file(events.path());
  EXPECT_THAT(bytes, HasSubstr("wrong/a"));
  EXPECT_THAT(bytes, testing::Not(HasSubstr("wrong/none")));
  const data::Image strip = data::decode_image(std::string_view(bytes).substr(bytes.find("\x89PNG")), "strip");
  EXPECT_THAT(strip.pixels, ElementsAre(1, 2, 255, 255, 3, 4));
}

}  // namespace
}  // namespace danlu::app
