#include "danlu/infer/answerer.h"

#include <gmock/gmock.h>

#include <cmath>

#include "danlu/base/temporary_directory.h"
#include "danlu/data/text/bpe_trainer.h"
#include "danlu/engine/ops/random.h"
#include "danlu/infer/testing.h"

namespace danlu::infer {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

data::Faq shop() {
  return data::Faq({{"1", {"How do I pay an invoice?", "paying"}, "By card, or by bank transfer.", "u#1"},
                    {"2", {"How do I cancel an order?"}, "Open your orders and choose Cancel.", ""},
                    {"3", {"Where is my parcel?", "tracking a parcel"}, "Look at the tracking page.", "u#3"}});
}

// A FAQ that goes by words: what they have in common with a question is all that counts.
class AnswererTest : public testing::Test {
 protected:
  AnswererTest() { write(*model()); }
  std::unique_ptr<models::Retriever> model() const {
    manual_seed(1);
    return models::make_retriever(bundle_.model, tokens_.vocab_size(), tokens_.length());
  }
  void write(const models::Retriever& model) const { write_answerer(directory_.path(), bundle_, model, shop(), tokens_); }
  static data::Tokenizer tokenizer() {
    data::BpeTrainer trainer({.vocab_size = 270, .min_frequency = 2, .special_tokens = {}});
    trainer.add(to_line(shop().to_json()));
    return data::Tokenizer(trainer.train());
  }

  const TemporaryDirectory directory_;
  const data::TextTokens tokens_{tokenizer(), 32};
  AnswererBundle bundle_{.name = "shop",
                         .notice = "a toy",
                         .hand_over = "A colleague will call you.",
                         .model = models::resolve_retriever({{"type", "retriever"}, {"dimension", 8}, {"encoder", {{"type", "bag_of_tokens"}, {"width", 8}, {"dropout", 0}}}}),
                         .decision = {{40, 0, 0, 8}, 0.5, 0.5}};
};

TEST_F(AnswererTest, AnswersWithItsSourceOrHandsOver) {
  const Answerer answerer(directory_.path());
  EXPECT_TRUE(is_answerer(directory_.path()));
  const Answer paid = answerer.answer("How can I pay the invoice?");
  EXPECT_FALSE(paid.hand_over);
  EXPECT_EQ(paid.text, "By card, or by bank transfer.");
  ASSERT_EQ(paid.sources.size(), 3u);
  EXPECT_EQ(paid.sources[0].id, "1");
  EXPECT_EQ(paid.sources[0].url, "u#1");
  EXPECT_EQ(paid.sources[0].confidence, paid.confidence);
  EXPECT_EQ(paid.notice, "a toy");
  const Answer unknown = answerer.answer("Who wrote Hamlet?");
  EXPECT_TRUE(unknown.hand_over);
  EXPECT_EQ(unknown.text, "A colleague will call you.");
  EXPECT_LT(unknown.confidence, 0.5);
  EXPECT_EQ(to_json(unknown)["hand_over"], true);
}

TEST_F(AnswererTest, AQuestionLeansOnThoseBefore) {
  const Answerer answerer(directory_.path());
  const std::vector<std::string> before = {"How do I cancel an order?"};
  EXPECT_TRUE(answerer.answer("and how is that?").hand_over);
  EXPECT_EQ(answerer.answer("and how is that?", before).sources[0].id, "2");
  EXPECT_EQ(answerer.answer("Where is my parcel?", before).sources[0].id, "3") << "what is asked now counts most";
  std::vector<std::string> long_ago = before;
  for (size_t i = 0; i < Answerer::kTurns; ++i) long_ago.emplace_back("hello");
  EXPECT_TRUE(answerer.answer("and how is that?", long_ago).hand_over);
}

TEST_F(AnswererTest, WhatIsNoQuestionIsRefused) {
  const Answerer answerer(directory_.path());
  const std::string longest(Answerer::kLongestQuestion, 'x');
  EXPECT_NO_THROW(answerer.answer(longest));
  EXPECT_THAT([&] { answerer.answer(longest + "x"); }, ThrowsMessage<DataError>(HasSubstr("a question of 4001 bytes; expected at most 4000")));
  EXPECT_THAT([&] { answerer.answer("\xff"); }, ThrowsMessage<DataError>(HasSubstr("not UTF-8")));
  EXPECT_THAT([&] { answerer.answer(" \t\n"); }, ThrowsMessage<DataError>(HasSubstr("empty question")));
  // What is read of the turns before is bounded too.
  std::vector<std::string> before = {longest + "x"};
  EXPECT_THAT([&] { answerer.answer("and?", before); }, ThrowsMessage<DataError>(HasSubstr("an earlier question of 4001 bytes; expected at most 4000")));
  before = {"\xff"};
  EXPECT_THAT([&] { answerer.answer("and?", before); }, ThrowsMessage<DataError>(HasSubstr("an earlier question that is not UTF-8")));
  before.insert(before.end(), Answerer::kTurns, "hello");
  EXPECT_NO_THROW(answerer.answer("and?", before)) << "so far back it does not look";
}

TEST_F(AnswererTest, OfABundleNothingIsBelieved) {
  expect_refused(directory_.path(),
                 {
                     {"config.json", "/format", "danlu-forecaster", "not the configuration of a FAQ"},
                     {"config.json", "/format_version", 2, "format_version: got 2"},
                     {"config.json", "/format_version", "one", "must be number"},
                     {"config.json", "/name", kTakenOut, "'name' not found"},
                     {"config.json", "/notice", 3, "must be string"},
                     {"config.json", "/hand_over", nullptr, "must be string"},
                     {"config.json", "/decision", 3, "no object"},
                     {"config.json", "/decision/weights", {1, 2, 3}, "4 numbers"},
                     {"config.json", "/decision/weights", {1, 2, 3, "x"}, "finite numbers"},
                     {"config.json", "/decision/weights/0", 1e300, "4 numbers from -1e+06 to 1e+06"},
                     {"config.json", "/decision/weights/0", -1e7, "4 numbers from -1e+06 to 1e+06"},
                     {"config.json", "/decision/least_confidence", -0.1, "least_confidence"},
                     {"config.json", "/decision/least_confidence", nullptr, "least_confidence"},
                     {"config.json", "/decision/context", 1.5, "context"},
                     {"config.json", "/model", kTakenOut, "'model' not found"},
                     {"config.json", "/model/dimension", 0, "dimension"},
                     {"config.json", "/model/dimension", 65536, "larger than"},
                     {"config.json", "/model/dimension", 9, "", "model.safetensors"},
                     {"faq.json", "/entries", Json::array(), "no entry"},
                     {"faq.json", "/entries/0/questions", {" "}, "without question"},
                     {"faq.json", "/entries/0/answer", "\n", "without answer"},
                     {"faq.json", "/entries/1/id", "1", "two entries \"1\""},
                     {"faq.json", "/entries/2/url", kTakenOut, "'url' not found"},
                     {"preprocess.json", "/length", 0, "length"},
                     {"preprocess.json", "/tokenizer", 3, "tokenizer"},
                 },
                 [&] { Answerer answerer(directory_.path()); });
}

TEST_F(AnswererTest, AModelThatMakesNoNumbersIsRefusedOrHandsOver) {
  const auto all = model();
  for (Tensor& parameter : all->parameters()) parameter.fill(NAN);
  write(*all);
  EXPECT_THAT([&] { Answerer answerer(directory_.path()); }, ThrowsMessage<DataError>(HasSubstr((directory_.path() / "model.safetensors").string())));
  // A token of the question alone: then words decide.
  const auto one = model();
  const std::vector<int64_t> token = tokens_.encode("\u2603");
  for (nn::NamedTensor& t : one->named_parameters()) {
    if (t.tensor.rank() == 2 && t.tensor.size(0) == tokens_.vocab_size()) t.tensor.rows(token[0], token[0] + 1).fill(NAN);
  }
  bundle_.decision.weights[2] = 1;
  write(*one);
  const Answerer answerer(directory_.path());
  const Answer answer = answerer.answer("\u2603 Where is my parcel?");
  EXPECT_TRUE(std::isfinite(answer.confidence));
  EXPECT_EQ(answer.sources[0].id, "3");
}

}  // namespace
}  // namespace danlu::infer
