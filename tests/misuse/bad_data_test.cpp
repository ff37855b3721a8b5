// Data that will not do: the words, the exit code, and that nothing is left behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include "danlu/base/json.h"
#include "danlu/data/image/decode.h"
#include "tests/misuse/program.h"

namespace danlu {
namespace {

using testing::HasSubstr;

class BadData : public testing::Test {
 protected:
  // A run that must fail with these words.
  void expect_failure(const std::vector<std::string>& arguments, const std::vector<std::string>& words, int code = 1) {
    const Outcome outcome = work_.danlu(arguments);
    EXPECT_EQ(outcome.code, code) << outcome.err;
    for (const std::string& word : words) EXPECT_THAT(outcome.err, HasSubstr(word));
    EXPECT_THAT(outcome.err, testing::StartsWith("danlu: ["));
    EXPECT_EQ(work_.files_of_runs(), std::vector<std::string>());
  }
  void expect_csv_failure(const std::string& text, const std::vector<std::string>& words) {
    work_.write("t.csv", text);
    expect_failure({"run", "--data", "t.csv", "--target", "kind", "train.epochs=1"}, words);
  }

  Workplace work_;
};

TEST_F(BadData, RaggedRow) {
  expect_csv_failure(small_csv() + "3,blue\n", {"t.csv:122", "got 2", "expected 3"});
  expect_csv_failure(small_csv() + "3,blue,big,extra\n", {"t.csv:122", "got 4", "expected 3"});
}

TEST_F(BadData, MissingTarget) {
  work_.write("t.csv", small_csv());
  expect_failure({"run", "--data", "t.csv", "--target", "kinds"}, {"kinds", "did you mean \"kind\"?"});
  expect_csv_failure("size,kind\n1,\n2,\n3,NA\n", {"no row with a value of \"kind\""});
}

TEST_F(BadData, EmptyFile) {
  expect_csv_failure("", {"t.csv"});
  expect_csv_failure("\n\n", {"t.csv"});
  expect_csv_failure("size,colour,kind\n", {"t.csv"});
}

TEST_F(BadData, NotUtf8) { expect_csv_failure(small_csv() + "3,bl\xff\xfe,big\n", {"t.csv:122", "UTF-8"}); }

TEST_F(BadData, NotANumber) {
  expect_csv_failure(small_csv() + "nan,blue,big\n", {"t.csv:122", "size", "nan"});
  expect_csv_failure(small_csv() + "inf,blue,big\n", {"t.csv:122", "size", "inf"});
  expect_csv_failure(small_csv() + "much,blue,big\n", {"t.csv:122", "size", "much"});
}

TEST_F(BadData, OneClassOnly) {
  expect_csv_failure("size,kind\n1,a\n2,a\n3,a\n4,a\n5,a\n6,a\n", {"got one class (a)", "at least two"});
}

TEST_F(BadData, UnknownCategoryAtPredictTime) {
  work_.write("t.csv", small_csv());
  ASSERT_EQ(work_
                .danlu({"run", "--data", "t.csv", "--target", "kind", "train.epochs=1",
                        "data.columns.colour.encode.unknown=error"})
                .code,
            0);
  work_.write("new.csv", "size,colour\n50,blue\n7,purple\n");
  const Outcome outcome = work_.danlu({"predict", "t", "new.csv", "-o", "answers.csv"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("new.csv:3"));
  EXPECT_THAT(outcome.err, HasSubstr("purple"));
  EXPECT_FALSE(fs::exists(work_ / "answers.csv"));
  work_.write("narrow.csv", "size\n50\n");
  EXPECT_THAT(work_.danlu({"predict", "t", "narrow.csv"}).err, HasSubstr("colour"));
  work_.write("good.csv", "colour,size\nblue,50\n");
  EXPECT_EQ(work_.danlu({"predict", "t", "good.csv", "-o", "answers.csv"}).code, 0);
  EXPECT_THAT(read_file(work_ / "answers.csv"), testing::StartsWith("line,label,p_big,p_small\n2,"));
  EXPECT_EQ(work_.danlu({"predict", "t", "good.csv", "-o", "answers.xml"}).code, 2);
}

class ImageFiles : public BadData {
 protected:
  ImageFiles() {
    for (int i = 0; i < 30; ++i) {
      data::Image image{6, 6, 1, std::vector<uint8_t>(36, static_cast<uint8_t>(i % 2 == 0 ? 200 + i : 20 + i))};
      work_.write(fs::path("set") / (i % 2 == 0 ? "light" : "dark") / (std::to_string(i) + ".png"),
                  data::encode_png(image));
    }
  }
  const std::vector<std::string> run_ = {"run", "--data", "set", "train.epochs=1",
                                         "model={type: cnn, layers: [flatten]}"};
};

TEST_F(ImageFiles, AreWhatIsWrongHere) { EXPECT_EQ(work_.danlu(run_).code, 0); }

TEST_F(ImageFiles, TruncatedPng) {
  const std::string whole = read_file(work_ / "set/dark/1.png");
  work_.write("set/dark/1.png", whole.substr(0, whole.size() - 20));
  expect_failure(run_, {"1.png"});
}

TEST_F(ImageFiles, TextCalledPng) {
  work_.write("set/dark/note.png", "these are not pixels\n");
  expect_failure(run_, {"note.png", "PNG"});
}

std::string big_endian(uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}

TEST_F(BadData, IdxWithWrongMagicOrSizesThatOverflow) {
  const std::vector<std::string> run = {"run", "--data", "idx", "train.epochs=1"};
  const std::string labels = std::string("\0\0\x08\x01", 4) + big_endian(2) + std::string("\0\1", 2);
  work_.write("idx/train-labels-idx1-ubyte", labels);
  work_.write("idx/train-images-idx3-ubyte",
              std::string("\1\2\x08\x03", 4) + big_endian(2) + big_endian(1) + big_endian(1) + "ab");
  expect_failure(run, {"train-images-idx3-ubyte"});
  work_.write("idx/train-images-idx3-ubyte",
              std::string("\0\0\x08\x03", 4) + big_endian(~0u) + big_endian(~0u) + big_endian(~0u) + "ab");
  expect_failure(run, {"train-images-idx3-ubyte"});
  work_.write("idx/train-images-idx3-ubyte",
              std::string("\0\0\x08\x03", 4) + big_endian(2) + big_endian(4) + big_endian(4) + "ab");
  expect_failure(run, {"train-images-idx3-ubyte"});
}

// A small file system of its own.
class SmallDisk {
 public:
  explicit SmallDisk(fs::path path) : path_(std::move(path)) {
    make_directories(path_);
    mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=96k") == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool mounted() const { return mounted_; }

 private:
  fs::path path_;
  bool mounted_ = false;
};

TEST_F(BadData, FullDisk) {
  const SmallDisk disk(work_ / "runs");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a file system needs root";
  work_.write("t.csv", small_csv());
  const Outcome outcome = work_.danlu(
      {"run", "--data", "t.csv", "--target", "kind", "train.epochs=3", "model={type: mlp, hidden: [256, 256]}"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("No space left on device"));
  // Whatever there is, is whole: no temporary files, JSON that parses, no bundle that claims to be one.
  for (const fs::path& file : list_files(work_ / "runs", true)) {
    EXPECT_THAT(file.filename().string(), testing::Not(HasSubstr("tmp")));
    if (file.extension() == ".json") {
      EXPECT_NO_THROW(read_json(file)) << file;
    }
  }
  EXPECT_FALSE(fs::exists(work_ / "runs/t/bundle/config.json"));
  EXPECT_NE(work_.danlu({"predict", "t", "t.csv"}).code, 0);
}

}  // namespace
}  // namespace danlu
