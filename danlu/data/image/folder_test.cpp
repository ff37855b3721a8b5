#include "danlu/data/image/folder.h"

#include <gtest/gtest.h>

#include "danlu/data/image/testing.h"

namespace danlu::data {
namespace {

std::string png(int64_t height, int64_t width, int64_t channels, uint8_t value) {
  return encode_png(
      {height, width, channels, std::vector<uint8_t>(static_cast<size_t>(height * width * channels), value)});
}

// Two classes, four files; the commonest size is 4 x 3.
class Folder : public testing::Test {
 protected:
  Folder() {
    write_file_atomic(directory_ / "tulip/b.png", png(4, 3, 1, 20));
    write_file_atomic(directory_ / "rose/z.png", png(4, 3, 1, 30));
    write_file_atomic(directory_ / "rose/a.png", png(4, 3, 1, 10));
    write_file_atomic(directory_ / "rose/more/deep.png", png(8, 6, 1, 40));
    write_file_atomic(directory_ / "rose/.hidden", "not an image");
  }
  LabeledImages read(const FolderOptions& options = {}) { return read_image_folder(directory_.path(), options); }
  std::string error(const FolderOptions& options = {}) {
    return error_of([&] { read(options); });
  }
  TemporaryDirectory directory_;
};

TEST_F(Folder, ClassesAndFilesInOrder) {
  const LabeledImages set = read();
  EXPECT_EQ(set.class_names, (std::vector<std::string>{"rose", "tulip"}));
  EXPECT_EQ(set.files, (std::vector<std::string>{"rose/a.png", "rose/more/deep.png", "rose/z.png", "tulip/b.png"}));
  EXPECT_EQ(set.labels, (std::vector<int64_t>{0, 0, 0, 1}));
  EXPECT_EQ(set.pixels.shape(), Shape({4, 4, 3, 1}));
  EXPECT_EQ(set.pixels.data<uint8_t>()[12], 40) << "resized";
  EXPECT_EQ(set.pixels.data<uint8_t>()[36], 20);
  EXPECT_TRUE(set.given.empty());
  EXPECT_EQ(set.original_sizes.at("4x3x1"), 3);
  EXPECT_EQ(set.original_sizes.at("8x6x1"), 1);
}

TEST_F(Folder, SizeAndChannelsAsAsked) {
  EXPECT_EQ(read({.height = 2, .width = 5, .channels = "rgb"}).pixels.shape(), Shape({4, 2, 5, 3}));
  write_file_atomic(directory_ / "tulip/color.png", png(4, 3, 3, 20));
  EXPECT_EQ(read().pixels.size(3), 3);
  EXPECT_EQ(read({.channels = "gray"}).pixels.size(3), 1);
}

TEST_F(Folder, BadFilesAreListedOrSkipped) {
  const std::string whole = png(4, 3, 1, 50);
  write_file_atomic(directory_ / "rose/b.png", "this is text");
  write_file_atomic(directory_ / "tulip/a.png", whole.substr(0, whole.size() - 20));
  const std::string message = error();
  EXPECT_TRUE(contains(message, "got 2 bad of 6 files"));
  EXPECT_TRUE(contains(message, "rose/b.png: got text that begins with \"this is text\""));
  EXPECT_TRUE(contains(message, "tulip/a.png: got a truncated PNG"));
  EXPECT_TRUE(contains(message, "on_bad_file: skip"));
  const LabeledImages set = read({.on_bad_file = "skip"});
  EXPECT_EQ(set.labels, (std::vector<int64_t>{0, 0, 0, 1}));
  EXPECT_EQ(set.pixels.size(0), 4);
  EXPECT_EQ(set.pixels.data<uint8_t>()[36], 20) << "the gap was closed";
  ASSERT_EQ(set.unreadable.size(), 2u);
  EXPECT_EQ(set.unreadable[0].file, "rose/b.png");
}

TEST_F(Folder, Misuse) {
  EXPECT_TRUE(contains(error_of([&] { read_image_folder(directory_ / "rose/more"); }), "expected one for each class"));
  EXPECT_TRUE(contains(error_of([&] { read_image_folder(directory_ / "nowhere"); }), "cannot list"));
  EXPECT_TRUE(contains(error({.height = 16000, .width = 16000, .max_memory_mb = 100}), "which is more than 100 MB"));
  make_directories(directory_ / "violet");
  EXPECT_TRUE(contains(error(), "got no readable image for the class \"violet\""));
}

TEST_F(Folder, DividedByItsSource) {
  const TemporaryDirectory directory;
  for (const char* part : {"train", "val", "test"}) {
    for (const char* name : {"cat", "dog"})
      write_file_atomic(directory.path() / part / name / "1.png", png(2, 2, 1, 1));
  }
  const LabeledImages set = read_image_folder(directory.path());
  EXPECT_EQ(set.class_names, (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(set.given,
            (std::vector<Part>{Part::train, Part::train, Part::validation, Part::validation, Part::test, Part::test}));
  EXPECT_EQ(set.labels, (std::vector<int64_t>{0, 1, 0, 1, 0, 1}));
  write_file_atomic(directory / "test/cow/1.png", png(2, 2, 1, 1));
  EXPECT_TRUE(contains(error_of([&] { read_image_folder(directory.path()); }), "got the class \"cow\""));
}

}  // namespace
}  // namespace danlu::data
