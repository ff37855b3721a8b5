#include "danlu/infer/pretrained_encoder.h"

#include <gmock/gmock.h>

#include "danlu/base/temporary_directory.h"
#include "danlu/infer/bundle.h"
#include "danlu/infer/testing.h"
#include "danlu/learn/models/model.h"

namespace danlu::infer {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class PretrainedEncoderTest : public testing::Test {
 protected:
  PretrainedEncoderTest() {
    const data::TextPreprocess preprocess("text", 12, data::Tokenizer(byte_tokenizer()));
    const models::ModelConfig config = models::parse_model(Json{{"type", "masked_encoder"}, {"layers", 1}, {"heads", 2}, {"width", 8}});
    const auto model = config.make({12}, preprocess.vocab_size());
    write_pretrained_encoder(directory_.path(), "described", *model, preprocess.to_json(), config.resolved, {{"step", 7}});
  }
  TemporaryDirectory directory_;
};

TEST_F(PretrainedEncoderTest, ComesBack) {
  ASSERT_TRUE(is_pretrained_encoder(directory_.path()));
  const PretrainedEncoder encoder = read_pretrained_encoder(directory_.path());
  EXPECT_EQ(encoder.name, "described");
  EXPECT_EQ(encoder.preprocess.length(), 12);
  EXPECT_EQ(encoder.model->vocab_size(), kByteVocabulary + 1);
  EXPECT_FALSE(encoder.model->is_training());
  EXPECT_EQ(encoder.config.at("training").at("step"), 7);
}

TEST_F(PretrainedEncoderTest, AnswersNothingByItself) {
  EXPECT_THAT([&] { read_bundle(directory_.path()); }, ThrowsMessage<DataError>(HasSubstr("begin a model with it, by a recipe with transfer: {from: ...}")));
}

TEST_F(PretrainedEncoderTest, DamagedOnesAreRefused) {
  expect_refused(directory_.path(),
                 {{"config.json", "/format", "danlu-bundle", "not the configuration of an encoder that tells hidden tokens"},
                  {"config.json", "/format_version", 2, "take a newer danlu"},
                  {"config.json", "/name", 3, "type"},
                  {"config.json", "/model", kTakenOut, "model"},
                  {"config.json", "/model/type", "gpt", "expected a masked_encoder"},
                  {"config.json", "/model/type", "gtp", "gtp"},
                  {"config.json", "/model/width", 1e6, "larger than"},
                  {"config.json", "/model/vocab_size", 300, "expected a masked_encoder of the 261 tokens"},
                  {"preprocess.json", "/length", 0, "length"},
                  {"preprocess.json", "/length", 13, "positions.weight", "model.safetensors"},
                  {"preprocess.json", "/tokenizer", kTakenOut, "tokenizer"},
                  {"preprocess.json", "/column", 1, "column"}},
                 [&] { read_pretrained_encoder(directory_.path()); });
}

}  // namespace
}  // namespace danlu::infer
