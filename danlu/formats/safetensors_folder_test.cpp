#include "danlu/formats/safetensors_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "danlu/base/error.h"
#include "danlu/base/json.h"
#include "danlu/base/temporary_directory.h"

namespace danlu::formats {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

template <class E>
std::string refusal(const fs::path& directory) {
  try {
    SafetensorsFolder folder(directory);
  } catch (const E& error) {
    return error.message();
  }
  return "";
}

// Three tensors in two shards.
class ShardsTest : public testing::Test {
 protected:
  ShardsTest() {
    write_safetensors(directory_ / "a.safetensors", {{"x", Tensor::from({2}, {1, 2})}, {"y", Tensor::from({1}, {3})}});
    write_safetensors(directory_ / "b.safetensors", {{"z", Tensor::from({1, 2}, {4, 5})}});
    index({{"x", "a.safetensors"}, {"y", "a.safetensors"}, {"z", "b.safetensors"}});
  }
  void index(const Json& weight_map) const { write_json(index_, {{"metadata", {{"total_size", 20}}}, {"weight_map", weight_map}}); }
  std::string refusal_of(const Json& weight_map) const {
    index(weight_map);
    return refusal<DataError>(directory_.path());
  }

  const TemporaryDirectory directory_;
  const fs::path index_ = directory_ / "model.safetensors.index.json";
};

TEST_F(ShardsTest, AreOneSet) {
  const SafetensorsFolder folder(directory_.path());
  EXPECT_THAT(folder.names(), ElementsAre("x", "y", "z"));
  EXPECT_EQ(folder.shape("z"), (Shape{1, 2}));
  EXPECT_EQ(folder.read("z").to_vector(), (std::vector<float>{4, 5}));
  std::vector<float> x(2);
  folder.read("x", x);
  EXPECT_THAT(x, ElementsAre(1, 2));
  EXPECT_FALSE(folder.contains("w"));
  try {
    folder.read("w");
    FAIL() << "expected a DataError";
  } catch (const DataError& error) {
    EXPECT_THAT(error.message(), AllOf(HasSubstr("index.json"), HasSubstr("has no tensor \"w\"")));
  }
}

TEST_F(ShardsTest, OneFileGoesFirst) {
  write_safetensors(directory_ / "model.safetensors", {{"only", Tensor::scalar(1)}});
  EXPECT_THAT(SafetensorsFolder(directory_.path()).names(), ElementsAre("only"));
}

TEST_F(ShardsTest, AnAbsentShardIsNamed) {
  fs::remove(directory_ / "b.safetensors");
  EXPECT_THAT(refusal<FileError>(directory_.path()), HasSubstr("b.safetensors"));
}

TEST_F(ShardsTest, ATruncatedShardIsNamed) {
  fs::resize_file(directory_ / "b.safetensors", fs::file_size(directory_ / "b.safetensors") - 1);
  EXPECT_THAT(refusal<DataError>(directory_.path()), AllOf(HasSubstr("b.safetensors"), HasSubstr("cut short")));
}

TEST_F(ShardsTest, AFolderWithoutWeightsSaysWhatIsMissing) {
  const TemporaryDirectory empty;
  EXPECT_THAT(refusal<FileError>(empty.path()), HasSubstr("expected model.safetensors or model.safetensors.index.json"));
}

TEST_F(ShardsTest, TheIndexLeadsNowhereElse) {
  for (const char* file : {"../b.safetensors", "/tmp/b.safetensors", "sub/b.safetensors", "..", "", ".safetensors", ".b.safetensors",
                           "model.safetensors.index.json", "sub\\b.safetensors"}) {
    EXPECT_THAT(refusal_of({{"z", file}}), HasSubstr("expected the name of a .safetensors file beside the index")) << file;
  }
  EXPECT_THAT(refusal_of({{"z", 1}}), HasSubstr("tensor \"z\": got 1"));
}

TEST_F(ShardsTest, TheIndexMustFitTheShards) {
  EXPECT_THAT(refusal_of({{"w", "a.safetensors"}}), HasSubstr("tensor \"w\" is not in a.safetensors"));
  EXPECT_THAT(refusal_of({{"x", "a.safetensors"}}), HasSubstr("a.safetensors has tensor \"y\", which weight_map does not list"));
  write_safetensors(directory_ / "b.safetensors", {{"z", Tensor::scalar(1)}, {"x", Tensor::scalar(1)}});
  EXPECT_THAT(refusal_of({{"x", "a.safetensors"}, {"y", "a.safetensors"}, {"z", "b.safetensors"}}),
              HasSubstr("b.safetensors has tensor \"x\", which weight_map lists for another file"));
}

TEST_F(ShardsTest, TheIndexMustBeOne) {
  for (const char* text : {"[]", "{}", "{\"weight_map\": []}", "{\"weight_map\": null}"}) {
    write_file_atomic(index_, text);
    EXPECT_THAT(refusal<DataError>(directory_.path()), HasSubstr("weight_map: expected an object")) << text;
  }
  write_file_atomic(index_, "{");
  EXPECT_THAT(refusal<DataError>(directory_.path()), HasSubstr("not valid JSON"));
}

TEST_F(ShardsTest, AFileThatLeadsToItselfIsRefused) {
  fs::remove(directory_ / "b.safetensors");
  fs::create_symlink("b.safetensors", directory_ / "b.safetensors");
  EXPECT_THAT(refusal<FileError>(directory_.path()), HasSubstr("b.safetensors"));
}

}  // namespace
}  // namespace danlu::formats
