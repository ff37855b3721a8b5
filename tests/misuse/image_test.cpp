// Images and IDX files that are damaged, or something else under their name.
#include "tests/misuse/refusal.h"
#include "tests/samples.h"

namespace danlu::test {
namespace {

class BadImages : public testing::Test {
 protected:
  BadImages() { write_squares(project_ / "squares", 20); }
  void expect_no_run(const Words& words) {
    expect_refused(project_, {"run", "--data", "squares"}, kFailed, words);
    expect_refused(project_, {"check", "--data", "squares"}, kFailed, words);
  }
  std::string good_png() const { return project_.read("squares/bright/0.png"); }
  Project project_;
};

TEST_F(BadImages, ATruncatedPng) {
  const std::string png = good_png();
  project_.write("squares/dark/cut.png", png.substr(0, png.size() / 2));
  expect_no_run({"got 1 bad of 21 files in squares", "squares/dark/cut.png: got a truncated PNG"});
}

TEST_F(BadImages, EveryPlaceToCutIsFound) {
  const std::string png = good_png();
  for (size_t length = 0; length < png.size(); length += 9) {
    project_.write("squares/dark/cut.png", png.substr(0, length));
    expect_refused(project_, {"check", "--data", "squares"}, kFailed, {"squares/dark/cut.png"});
  }
}

TEST_F(BadImages, ATextFileNamedPng) {
  project_.write("squares/dark/notes.png", "these are not the pixels you are looking for\n");
  expect_no_run({"squares/dark/notes.png: got text that begins with \"these are", "expected a PNG or JPEG"});
}

TEST_F(BadImages, AreSkippedWhereTheRecipeSaysSo) {
  project_.write("squares/dark/notes.png", "no pixels\n");
  const Outcome outcome =
      project_.danlu({"run", "--data", "squares", "data.image.on_bad_file=skip", "train.epochs=1", "model=logistic"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_THAT(outcome.out, testing::HasSubstr("notes.png"));
}

TEST_F(BadImages, PredictionNamesTheFile) {
  ASSERT_EQ(project_.danlu({"run", "--data", "squares", "train.epochs=1", "model=logistic"}).code, 0);
  const std::string png = good_png();
  project_.write("new/cut.png", png.substr(0, png.size() - 20));
  project_.write("notes.png", "no pixels\n");
  expect_refused(project_, {"predict", "squares", "new", "-o", "a.csv"}, kFailed, {"new/cut.png: got a truncated PNG"});
  expect_refused(project_, {"predict", "squares", "notes.png"}, kFailed,
                 {"notes.png: got text that begins with \"no pixels", "expected a PNG or JPEG"});
  expect_refused(project_, {"predict", "squares", "absent.png"}, kFailed, {"absent.png"});
  expect_refused(project_, {"predict", "squares", "runs"}, kFailed, {"runs: got no .png or .jpg file"});
}

TEST_F(BadImages, DirectoriesWithoutClasses) {
  fs::create_directories(project_ / "nothing");
  expect_refused(project_, {"run", "--data", "nothing"}, kFailed,
                 {"got no directories in nothing; expected one for each class"});
  expect_refused(project_, {"run", "--data", "squares/bright"}, kFailed,
                 {"got no directories in squares/bright; expected one for each class"});
  expect_refused(project_, {"run", "--data", "squares", "--target", "kind"}, kUsage,
                 {"data.target, data.labels and data.columns are for tables"});
}

// A directory like MNIST's, of `images` and good labels.
class BadIdx : public BadImages {
 protected:
  void expect_no_run_of(const std::string& images, const Words& words) {
    const std::string labels = std::string("\0\0\x08\x01\0\0\0\x04", 8) + std::string("\0\1\0\1", 4);
    for (const char* part : {"train", "t10k"}) {
      project_.write(fs::path("set") / fmt::format("{}-images-idx3-ubyte", part), images);
      project_.write(fs::path("set") / fmt::format("{}-labels-idx1-ubyte", part), labels);
    }
    expect_refused(project_, {"run", "--data", "set"}, kFailed, words);
  }
  static constexpr std::string_view kMagic{"\0\0\x08\x03", 4};
};

TEST_F(BadIdx, TheWrongMagic) {
  expect_no_run_of("\x89PNG and so on, long enough to be a header",
                   {"set/train-images-idx3-ubyte: got magic 0x89504E47; expected 0x000008NN"});
  expect_no_run_of(std::string("\0\0\x07\x03\0\0\0\4\0\0\0\2\0\0\0\2", 16) + std::string(16, 'x'),
                   {"set/train-images-idx3-ubyte: got magic 0x00000703; expected 0x000008NN"});
}

TEST_F(BadIdx, ASizeThatOverflows) {
  expect_no_run_of(
      std::string(kMagic) + std::string(12, '\xff') + std::string(64, 'x'),
      {"set/train-images-idx3-ubyte: got sizes 4294967295 x 4294967295 x 4294967295, whose product overflows"});
  // 2^31 * 2^31 * 4 is 0 modulo 2^64.
  expect_no_run_of(std::string(kMagic) + std::string("\x80\0\0\0\x80\0\0\0\0\0\0\4", 12),
                   {"set/train-images-idx3-ubyte: got sizes 2147483648 x 2147483648 x 4, whose product overflows"});
}

TEST_F(BadIdx, FewerBytesThanItSays) {
  expect_no_run_of(std::string(kMagic) + std::string("\0\0\0\4\0\0\0\2\0\0\0\2", 12) + std::string(15, 'x'),
                   {"set/train-images-idx3-ubyte: got 15 bytes of elements; expected 16 for sizes 4 x 2 x 2"});
  expect_no_run_of(std::string(kMagic).substr(0, 3),
                   {"set/train-images-idx3-ubyte: got 3 bytes; expected an IDX file"});
}

}  // namespace
}  // namespace danlu::test
