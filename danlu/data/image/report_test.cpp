#include "danlu/data/image/report.h"

#include <gtest/gtest.h>

#include "danlu/data/image/testing.h"

namespace danlu::data {
namespace {

// Five 1 x 2 images; 3 equals 0 with the same label, 4 equals 0 with another; 2 is blank.
LabeledImages five_images() {
  LabeledImages images;
  const std::vector<uint8_t> pixels{1, 2, /**/ 3, 4, /**/ 5, 5, /**/ 1, 2, /**/ 1, 2};
  images.pixels = Tensor::from({5, 1, 2, 1}, std::span<const uint8_t>(pixels));
  images.labels = {0, 0, 1, 0, 1};
  images.class_names = {"cat", "dog"};
  images.original_sizes = {{"1x2x1", 3}, {"2x4x1", 2}};
  images.unreadable = {{"cat/x.png", "cat/x.png: got a truncated PNG"}};
  return images;
}

TEST(ImageReport, CountsWhatIsThere) {
  const LabeledImages images = five_images();
  const std::vector<Hash128> hashes = hash_images(images);
  EXPECT_EQ(hashes[0], hashes[3]);
  EXPECT_NE(hashes[0], hashes[1]);
  const ImageReport report = image_report(images, hashes, {.train = {0, 1}, .validation = {2}, .test = {3}});
  EXPECT_EQ(report.size, "1x2x1");
  EXPECT_EQ(report.classes[0].train, 2);
  EXPECT_EQ(report.classes[0].test, 1);
  EXPECT_EQ(report.classes[1].validation, 1);
  EXPECT_EQ(report.duplicates, 2);
  EXPECT_EQ(report.conflicting, 1);
  EXPECT_EQ(report.blank, 1);
  EXPECT_EQ(report.dropped, 1);
  EXPECT_EQ(report.leaks.train_test, 1);

  const Json json = report.to_json();
  EXPECT_EQ(json["classes"]["cat"]["train"], 2);
  EXPECT_EQ(json["duplicates"]["examples"][1]["second"], "#4");
  EXPECT_EQ(json["unreadable"][0]["file"], "cat/x.png");
  EXPECT_EQ(json["original_sizes"]["2x4x1"], 2);
  const std::string text = report.text();
  EXPECT_TRUE(contains(text, "5 images of 1x2x1 in 2 classes"));
  EXPECT_TRUE(contains(text, "#4 = #0  (another label)"));
  EXPECT_TRUE(contains(text, "1 train-test"));
  EXPECT_TRUE(contains(text, "cat/x.png: got a truncated PNG"));
}

TEST(ImageReport, OneHashEach) {
  EXPECT_TRUE(contains(error_of([] { image_report(five_images(), {}, {}); }), "got 0 hashes for 5 images"));
}

}  // namespace
}  // namespace danlu::data
