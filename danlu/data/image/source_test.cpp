#include "danlu/data/image/source.h"

#include <gtest/gtest.h>

#include "danlu/data/image/testing.h"

namespace danlu::data {
namespace {

TEST(ReadImages, TellsIdxFromFolders) {
  const TemporaryDirectory directory;
  const std::string pixels(18, 'p');
  write_file_atomic(directory / "idx/train-images-idx3-ubyte",
                    std::string("\0\0\x08\x03\0\0\0\x02\0\0\0\x03\0\0\0\x03", 16) + pixels);
  write_file_atomic(directory / "idx/train-labels-idx1-ubyte", std::string("\0\0\x08\x01\0\0\0\x02\0\x01", 10));
  EXPECT_EQ(read_images(directory / "idx", {}, {"a", "b"}).class_names, (std::vector<std::string>{"a", "b"}));
  const LabeledImages resized = read_images(directory / "idx", {.height = 6, .width = 2, .channels = "rgb"});
  EXPECT_EQ(resized.pixels.shape(), Shape({2, 6, 2, 3}));
  EXPECT_EQ(resized.pixels.data<uint8_t>()[71], 'p');

  write_file_atomic(directory / "folder/a/1.png", encode_png({1, 1, 1, {7}}));
  EXPECT_EQ(read_images(directory / "folder").size(), 1);
  EXPECT_TRUE(
      contains(error_of([&] { read_images(directory / "folder", {}, {"a"}); }), "its directories are the classes"));
  EXPECT_TRUE(contains(error_of([&] { read_images(directory / "none"); }), "which is not a directory"));
}

}  // namespace
}  // namespace danlu::data
