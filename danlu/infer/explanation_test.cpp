#include "danlu/infer/explanation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "danlu/base/error.h"
#include "danlu/base/temporary_directory.h"
#include "danlu/data/image/preprocess.h"
#include "danlu/data/table/csv.h"
#include "danlu/data/table/preprocessor.h"
#include "danlu/data/text/bpe_trainer.h"
#include "danlu/data/text/text_preprocess.h"
#include "danlu/infer/background.h"
#include "danlu/infer/bundle.h"
#include "danlu/infer/words.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/nn/layers.h"

namespace danlu::infer {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Run run_of(Predictor& predictor) {
  return [&predictor](const Tensor& x) { return predictor.run(x); };
}

// Prices that are a sum: of the area, and of one value for each district.
class Houses : public testing::Test {
 protected:
  Houses() {
    std::string csv = "area,district,price\n";
    for (int i = 0; i < 90; ++i) csv += fmt_row(50 + i, i % 3);
    table_ = data::parse_csv(csv, "houses.csv");
    data::TableOptions options;
    options.target = "price";
    options.target_scale = "none";
    options.columns["area"].type = "number";  // every row has one of its own, as names have
    rows_ = data::all_rows(table_);
    preprocessor_ = data::TablePreprocessor::fit(table_, rows_, data::infer_schema(table_, data::type_overrides(options)), options);
    BundleConfig config;
    config.name = "houses";
    config.task = data::TaskKind::regression;
    config.input_shape = Shape{preprocessor_.num_features()};
    config.target = "price";
    config.model = "logistic";
    nn::Linear linear(preprocessor_.num_features(), 1);
    std::vector<float> weights(static_cast<size_t>(preprocessor_.num_features()), 0);
    weights[0] = 5;                                   // the area
    for (size_t i = 1; i < weights.size(); ++i) weights[i] = static_cast<float>(i) * 2;  // its district, one-hot
    linear.weight.copy_from(Tensor::from({1, preprocessor_.num_features()}, weights));
    linear.bias.fill(1);
    weights_ = weights;
    write_bundle(directory_.path(), config, nn::Sequential(std::move(linear)), preprocessor_.to_json());
  }
  static std::string fmt_row(int area, int district) {
    constexpr const char* kDistricts[] = {"harbour", "hill", "old town"};
    return std::to_string(area) + "," + kDistricts[district] + "," + std::to_string(100 * area + district) + "\n";
  }
  Json background() const { return make_background(preprocessor_, preprocessor_.apply(table_, rows_), rows_); }

  TemporaryDirectory directory_;
  data::Table table_;
  std::vector<int64_t> rows_;
  data::TablePreprocessor preprocessor_;
  std::vector<float> weights_;
};

TEST_F(Houses, ALinearModelIsExplainedExactlyByColumn) {
  const Json rows = background();
  write_json(directory_.path() / "background.json", rows);
  Predictor predictor(directory_.path());
  const std::vector<Explanation> explanations = explain(predictor, table_, run_of(predictor));
  ASSERT_EQ(explanations.size(), 90u);
  const Tensor x = predictor.encode(table_), away = read_background(rows, preprocessor_.num_features(), "rows");
  for (size_t n = 0; n < 90; ++n) {
    const Explanation& e = explanations[n];
    ASSERT_EQ(e.parts.size(), 2u) << "one-hot columns are one part";
    EXPECT_NEAR(e.gap(), 0, 1e-9);
    double contribution[2] = {0, 0};
    for (int64_t f = 0; f < x.size(1); ++f) {
      double mean = 0;
      for (int64_t b = 0; b < away.size(0); ++b) mean += away.data()[b * x.size(1) + f] / static_cast<double>(away.size(0));
      contribution[f == 0 ? 0 : 1] += weights_[static_cast<size_t>(f)] * (x.data()[static_cast<int64_t>(n) * x.size(1) + f] - mean);
    }
    EXPECT_NEAR(e.parts[0].contribution, contribution[0], 1e-4);
    EXPECT_NEAR(e.parts[1].contribution, contribution[1], 1e-4);
    EXPECT_TRUE(e.label.empty());
  }
  const std::string words = reasons(explanations[0])[0];
  EXPECT_THAT(words, HasSubstr("area = 50: -"));
  const Json json = to_json(explanations[0]);
  EXPECT_EQ(json["contributions"][0]["column"], "area");
  EXPECT_EQ(json["contributions"][0]["value"], "50");
  EXPECT_FALSE(json.contains("class"));
}

TEST_F(Houses, NoRowOfTheBackgroundIsARowOfTheData) {
  const Json json = background();
  const Tensor x = preprocessor_.apply(table_, rows_), away = read_background(json, x.size(1), "rows");
  EXPECT_EQ(away.size(0), 64);
  // Of each column the values are those of training rows; of two columns together they are not.
  int64_t known = 0;
  for (int64_t b = 0; b < away.size(0); ++b) {
    bool area = false, whole = false;
    for (int64_t n = 0; n < x.size(0); ++n) {
      const float *row = x.data() + n * x.size(1), *other = away.data() + b * x.size(1);
      area = area || row[0] == other[0];
      whole = whole || std::equal(row, row + x.size(1), other);
    }
    EXPECT_TRUE(area);
    known += whole;
  }
  EXPECT_LT(known, 40) << "two thirds of the districts are another row's";
}

TEST_F(Houses, ABackgroundThatWillNotDoIsRefused) {
  const auto message = [&](const Json& json) {
    write_json(directory_.path() / "background.json", json);
    try {
      Predictor predictor(directory_.path());
    } catch (const DataError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(message(Json::array({1, 2})), HasSubstr("background.json: rows: got no list"));
  EXPECT_THAT(message({{"rows", Json::array()}}), HasSubstr("0 of them"));
  EXPECT_THAT(message({{"rows", {{1, 2}}}}), HasSubstr("got one of 2"));
  EXPECT_THAT(message({{"rows", {{1, 2, "x", 4}}}}), HasSubstr("\"x\""));
  EXPECT_THAT(message({{"rows", {"abcd"}}}), HasSubstr("something else"));
  fs::remove(directory_.path() / "background.json");
  Predictor predictor(directory_.path());
  try {
    explain(predictor, table_, run_of(predictor));
    FAIL() << "explained without a background";
  } catch (const FileError& error) {
    EXPECT_THAT(std::string(error.what()), HasSubstr("evaluate its run again"));
  }
}

TEST(ImageExplanations, FindThePatchThatCounts) {
  const TemporaryDirectory directory;
  BundleConfig config;
  config.name = "corner";
  config.task = data::TaskKind::binary;
  config.input = InputKind::image;
  config.input_shape = Shape{14, 14, 1};
  config.class_names = {"dark", "bright"};
  config.model = "logistic";
  nn::Linear linear(14 * 14, 1);  // looks at the pixels of the second row's third patch alone
  std::vector<float> weights(14 * 14, 0);
  for (const size_t y : {2u, 3u}) {
    for (const size_t x : {4u, 5u}) weights[y * 14 + x] = 1;
  }
  linear.weight.copy_from(Tensor::from({1, 14 * 14}, weights));
  linear.bias.fill(0);
  const data::ImagePreprocess preprocess(14, 14, {0.5}, {0.25});
  write_bundle(directory.path(), config, nn::Sequential(nn::Flatten(), std::move(linear)), preprocess.to_json());
  Predictor predictor(directory.path());
  const data::Image image{14, 14, 1, std::vector<uint8_t>(14 * 14, 200)};
  const Explanation e = explain(predictor, std::span(&image, 1), run_of(predictor))[0];
  EXPECT_EQ(e.label, "bright");
  EXPECT_EQ(e.rows, 7);
  EXPECT_EQ(e.parts.size(), 49u);
  EXPECT_NEAR(e.baseline, 0.5, 1e-6);
  EXPECT_NEAR(e.gap(), 0, 1e-9);
  for (size_t i = 0; i < 49; ++i) EXPECT_NEAR(e.parts[i].contribution, i == 7 + 2 ? e.answer - 0.5 : 0, 1e-6) << i;
  EXPECT_EQ(to_json(e)["patches"].size(), 7u);
}

// Of a linear model of words, a word that speaks for the class does so here; one that is in no training text says nothing.
TEST(TextExplanations, NgramsAreReadAnewWithoutAWord) {
  data::NgramCounter counter({.words = {1, 2}, .min_documents = 1});
  counter.add("tea good");
  counter.add("not good");
  const data::Table table = data::parse_csv("text,kind\ntea good,yes\nnot good,no\n", "t.csv");
  const data::Schema schema = data::infer_schema(table, {});
  auto target = data::TargetEncoder::fit(table, data::all_rows(table), schema.column("kind"), "auto", {"no", "yes"}, "standard");
  const data::TextPreprocess preprocess("text", 16, counter.vocabulary(), std::move(target));
  BundleConfig config;
  config.name = "tea";
  config.task = data::TaskKind::binary;
  config.input = InputKind::text;
  config.input_shape = Shape{16};
  config.class_names = {"no", "yes"};
  config.target = "kind";
  const models::ModelConfig model = models::parse_model(Json{{"type", "bag_of_ngrams"}, {"vocab_size", preprocess.vocab_size()}});
  config.model = model.resolved;
  const auto network = model.make(config.input_shape, 1);
  for (nn::NamedTensor& t : network->named_parameters()) {
    if (t.name == "ngrams.weight") t.tensor.copy_from(Tensor::from({6, 1}, {0, 2, 0, -5, 0, 0}));  // padding, good, not, not good, tea, tea good
  }
  const TemporaryDirectory directory;
  write_bundle(directory.path(), config, *network, preprocess.to_json());
  Predictor predictor(directory.path());
  const std::vector<Explanation> explanations = explain(predictor, data::parse_csv("text\n\"Not, really good!\"\n\"\"\n", "q.csv"), run_of(predictor));
  const Explanation& e = explanations[0];
  ASSERT_EQ(e.parts.size(), 3u);
  EXPECT_EQ(e.parts[0].value + "|" + e.parts[1].value + "|" + e.parts[2].value, "Not|, really| good!");
  EXPECT_NEAR(e.gap(), 0, 1e-9);
  EXPECT_EQ(e.label, "yes") << "\"not good\" is not there";
  EXPECT_GT(e.parts[1].contribution, 0.1) << "it stands between \"not\" and \"good\"";
  EXPECT_GT(e.parts[2].contribution, 0);
  EXPECT_LT(e.parts[0].contribution, 0);
  EXPECT_EQ(e.cut_off, 0);
  EXPECT_TRUE(explanations[1].parts.empty());
}

// What the model does not read has no part in its answer.
TEST(TextExplanations, WordsThatAreCutOffHaveNoCredit) {
  data::NgramCounter counter({.words = {1, 1}, .min_documents = 1});
  counter.add("good bad");
  const data::Table table = data::parse_csv("text,kind\ngood,yes\nbad,no\n", "t.csv");
  auto target = data::TargetEncoder::fit(table, data::all_rows(table), data::infer_schema(table, {}).column("kind"), "auto", {"no", "yes"}, "standard");
  const data::TextPreprocess preprocess("text", 2, counter.vocabulary(), std::move(target));
  BundleConfig config;
  config.name = "short";
  config.task = data::TaskKind::binary;
  config.input = InputKind::text;
  config.input_shape = Shape{2};
  config.class_names = {"no", "yes"};
  const models::ModelConfig model = models::parse_model(Json{{"type", "bag_of_ngrams"}, {"vocab_size", preprocess.vocab_size()}});
  config.model = model.resolved;
  const auto network = model.make(config.input_shape, 1);
  for (nn::NamedTensor& t : network->named_parameters()) {
    if (t.name == "ngrams.weight") t.tensor.copy_from(Tensor::from({3, 1}, {0, -4, 4}));  // padding, bad, good
  }
  const TemporaryDirectory directory;
  write_bundle(directory.path(), config, *network, preprocess.to_json());
  Predictor predictor(directory.path());
  const Explanation e = explain(predictor, data::parse_csv("text\n\"A good, good bad, bad day.\"\n", "q.csv"), run_of(predictor))[0];
  ASSERT_EQ(e.parts.size(), 3u);
  EXPECT_EQ(e.parts[0].value + "|" + e.parts[1].value + "|" + e.parts[2].value, "A| good|, good");
  EXPECT_EQ(e.label, "yes");
  EXPECT_NEAR(e.gap(), 0, 1e-9);
  EXPECT_NEAR(e.parts[0].contribution, 0, 1e-9);
  EXPECT_GT(e.parts[1].contribution, 0.1);
  EXPECT_GT(e.parts[2].contribution, 0.1);
  EXPECT_EQ(e.cut_off, std::ssize(std::string(" bad, bad day.")));
  EXPECT_EQ(to_json(e)["bytes_not_read"], e.cut_off);
}

data::Tokenizer tokenizer_of(const std::string& text) {
  data::BpeTrainer trainer({.vocab_size = 300, .min_frequency = 2, .pattern = "gpt2", .special_tokens = {}});
  trainer.add(text);
  return data::Tokenizer(trainer.train());
}

TEST(Words, AreWholeAndHaveAllOfTheText) {
  const data::Tokenizer tokenizer = tokenizer_of("the tea was lovely the tea the tea");
  const std::string text = "The tea wasn't  lovely, caf\xC3\xA9: \xE6\x98\xA5\xE7\x9C\xA0";
  std::vector<int64_t> ids;
  for (const data::TokenId id : tokenizer.encode(text)) ids.push_back(id + 1);
  std::vector<std::string> words;
  std::string all;
  for (const Phrase& phrase : phrases_of(ids, tokenizer, 100)) {
    words.push_back(phrase.text);
    all += phrase.text;
  }
  EXPECT_EQ(all, text);
  EXPECT_THAT(words, ElementsAre("The", " tea", " wasn't", "  lovely", ",", " caf\xC3\xA9", ":", " \xE6\x98\xA5", "\xE7\x9C\xA0"));
  const std::vector<Phrase> few = phrases_of(ids, tokenizer, 4);
  EXPECT_EQ(few.size(), 3u);
  EXPECT_EQ(few[0].text, "The tea wasn't");
  EXPECT_EQ(few.back().end, ids.size());
  EXPECT_TRUE(phrases_of({}, tokenizer, 4).empty());
}

}  // namespace
}  // namespace danlu::infer
