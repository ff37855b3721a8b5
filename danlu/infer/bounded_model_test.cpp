#include "danlu/infer/bounded_model.h"

#include <gmock/gmock.h>

#include "danlu/base/error.h"
#include "danlu/base/json.h"
#include "danlu/base/temporary_directory.h"
#include "danlu/engine/tensor/tensor.h"

namespace danlu::infer {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

class BoundedModel : public testing::Test {
 protected:
  BoundedModel() { write_file_atomic(weights_, std::string(4 << 20, 'w')); }
  void make(const std::function<void()>& network, int64_t more = 0) const { make_bounded(weights_, "config.json", "infer.test", network, more); }

  const TemporaryDirectory directory_;
  const fs::path weights_ = directory_ / "model.safetensors";
};

TEST_F(BoundedModel, HasRoomForItsWeightsAndNoMore) {
  constexpr int64_t kMega = 1 << 18;  // of numbers
  Tensor made;
  make([&] { made = Tensor::zeros({4 * kMega}); });
  EXPECT_EQ(made.numel(), 4 * kMega);
  const auto large = [&] { made = Tensor::zeros({16 * kMega}); };
  EXPECT_THAT([&] { make(large); }, ThrowsMessage<DataError>(AllOf(HasSubstr("config.json: describes a model that is larger than"), HasSubstr(weights_.string()), HasSubstr("4194304 bytes"))));
  EXPECT_NO_THROW(make(large, 16 << 20)) << "where there is reason for more";
  EXPECT_NO_THROW(large()) << "the bound is over";
}

TEST_F(BoundedModel, WhatIsRefusedIsSaidOfTheFile) {
  EXPECT_THAT([&] { make([] { throw ConfigError("learn", "no such layer"); }); }, ThrowsMessage<DataError>(HasSubstr("[infer.test] config.json: no such layer")));
  EXPECT_THAT([&] { make([] { throw ShapeError("learn", "too wide"); }); }, ThrowsMessage<DataError>(HasSubstr("config.json: too wide")));
  EXPECT_THAT([&] { make([] { Json::object().at("model"); }); }, ThrowsMessage<DataError>(AllOf(HasSubstr("config.json: "), HasSubstr("'model' not found"))));
  fs::remove(weights_);
  EXPECT_THAT([&] { make([] {}); }, ThrowsMessage<FileError>(HasSubstr(weights_.string())));
}

}  // namespace
}  // namespace danlu::infer
