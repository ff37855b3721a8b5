#include "danlu/data/image/idx.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "danlu/base/rng.h"
#include "danlu/data/image/testing.h"

namespace danlu::data {
namespace {

std::string idx(uint32_t magic, const std::vector<uint32_t>& sizes, const std::string& elements) {
  std::string text;
  const auto put = [&](uint32_t v) {
    for (int shift = 24; shift >= 0; shift -= 8) text.push_back(static_cast<char>(v >> shift));
  };
  put(magic);
  for (const uint32_t size : sizes) put(size);
  return text + elements;
}

std::string error_of_bytes(const std::string& bytes) {
  return error_of([&] { parse_idx(bytes, "train-images"); });
}

// Two 2 x 3 images with labels 1 and 0.
void write_pair(const TemporaryDirectory& directory, const std::string& prefix,
                const std::string& pixels = "abcdefghijkl") {
  write_file_atomic(directory / (prefix + "-images-idx3-ubyte"), idx(0x803, {2, 2, 3}, pixels));
  write_file_atomic(directory / (prefix + "-labels-idx1-ubyte"), idx(0x801, {2}, std::string("\1\0", 2)));
}

TEST(Idx, ElementTypes) {
  const Tensor bytes = parse_idx(idx(0x802, {2, 2}, "\x01\x02\x03\xFF"), "x");
  EXPECT_EQ(bytes.dtype(), Dtype::u8);
  EXPECT_EQ(bytes.shape(), Shape({2, 2}));
  EXPECT_EQ(bytes.data<uint8_t>()[3], 255);
  EXPECT_EQ(parse_idx(idx(0x901, {1}, "\xFF"), "x").data<int32_t>()[0], -1);
  EXPECT_EQ(parse_idx(idx(0xB01, {1}, "\xFF\xFE"), "x").data<int32_t>()[0], -2);
  EXPECT_EQ(parse_idx(idx(0xC01, {1}, std::string("\0\1\0\0", 4)), "x").data<int32_t>()[0], 65536);
  EXPECT_EQ(parse_idx(idx(0xD01, {1}, std::string("\x3F\xC0\0\0", 4)), "x").item(), 1.5f);
  EXPECT_EQ(parse_idx(idx(0xE01, {1}, std::string("\x3F\xF8\0\0\0\0\0\0", 8)), "x").item(), 1.5f);
}

TEST(Idx, Magic) {
  EXPECT_TRUE(contains(error_of_bytes("\x89PNG...."), "[data.idx] train-images: got magic 0x89504E47; expected"));
  EXPECT_TRUE(contains(error_of_bytes(idx(0x703, {1, 1, 1}, "a")), "got magic 0x00000703"));
  EXPECT_TRUE(contains(error_of_bytes(idx(0x800, {}, "a")), "0x00000803 for images"));
  EXPECT_TRUE(contains(error_of_bytes("ab"), "got 2 bytes"));
}

TEST(Idx, SizesAgainstTheRealByteCount) {
  EXPECT_TRUE(contains(error_of_bytes(idx(0x803, {60000, 28, 28}, "abc")),
                       "got 3 bytes of elements; expected 47040000 for sizes 60000 x 28 x 28: the file is cut short"));
  EXPECT_TRUE(contains(error_of_bytes(idx(0x801, {2}, "abc")), "too long"));
  EXPECT_TRUE(
      contains(error_of_bytes(idx(0x803, {0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, "abc")), "whose product overflows"));
  EXPECT_TRUE(contains(error_of_bytes(idx(0x806, {0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0}, "")),
                       "overflows"));
  EXPECT_TRUE(contains(error_of_bytes(idx(0x803, {1}, "")), "expected at least 16 for the header of 3 axes"));
}

TEST(Idx, RandomCorruptionNeverCrashes) {
  Rng rng(3);
  const std::string valid = idx(0x803, {2, 2, 3}, "abcdefghijkl");
  for (int round = 0; round < 5000; ++round) {
    std::string data = valid;
    for (int64_t flips = rng.below(4) + 1; flips > 0; --flips) {
      data[static_cast<size_t>(rng.below(static_cast<int64_t>(data.size())))] = static_cast<char>(rng.below(256));
    }
    if (rng.below(3) == 0) data.resize(static_cast<size_t>(rng.below(static_cast<int64_t>(data.size()))));
    try {
      EXPECT_LE(parse_idx(data, "x").bytes(), 48u);
    } catch (const DataError&) {
    }
  }
}

TEST(Idx, DirectoryWithTestSet) {
  const TemporaryDirectory directory;
  write_pair(directory, "train");
  EXPECT_TRUE(is_idx_directory(directory.path()));
  EXPECT_TRUE(read_idx_directory(directory.path()).given.empty());
  write_pair(directory, "t10k", "ABCDEFGHIJKL");
  const LabeledImages set = read_idx_directory(directory.path(), {"shirt", "shoe"});
  EXPECT_EQ(set.pixels.shape(), Shape({4, 2, 3, 1}));
  EXPECT_EQ(set.pixels.data<uint8_t>()[12], 'A');
  EXPECT_EQ(set.labels, (std::vector<int64_t>{1, 0, 1, 0}));
  EXPECT_EQ(set.class_names, (std::vector<std::string>{"shirt", "shoe"}));
  EXPECT_EQ(set.given, (std::vector<Part>{Part::train, Part::train, Part::test, Part::test}));
  EXPECT_EQ(set.original_sizes.at("2x3x1"), 4);
  EXPECT_EQ(read_idx_directory(directory.path()).class_names, (std::vector<std::string>{"0", "1"}));
}

TEST(Idx, Gzip) {
  const TemporaryDirectory directory;
  const std::string data = idx(0x801, {3}, "abc");
  gzFile file = gzopen((directory / "labels.gz").c_str(), "wb");
  gzwrite(file, data.data(), static_cast<unsigned>(data.size()));
  gzclose(file);
  EXPECT_EQ(read_idx(directory / "labels.gz").numel(), 3);
}

TEST(Idx, ImagesAndLabelsMustAgree) {
  const TemporaryDirectory directory;
  write_pair(directory, "train");
  const fs::path images = directory / "train-images-idx3-ubyte", labels = directory / "train-labels-idx1-ubyte";
  EXPECT_TRUE(
      contains(error_of([&] { read_idx_images(images, labels, {"only"}); }), "got the label 1; expected 0 to 0"));
  EXPECT_TRUE(contains(error_of([&] { read_idx_images(labels, labels); }), "expected u8 images of shape (N, H, W)"));
  EXPECT_TRUE(contains(error_of([&] { read_idx_images(images, images); }), "expected integer labels of shape (N)"));
  write_file_atomic(labels, idx(0x801, {3}, std::string(3, '\0')));
  EXPECT_TRUE(contains(error_of([&] { read_idx_images(images, labels); }), "got 3 labels; expected 2"));
  EXPECT_TRUE(contains(error_of([&] { read_idx_directory(directory / "nothing"); }), "got no train-images-idx3-ubyte"));
}

}  // namespace
}  // namespace danlu::data
