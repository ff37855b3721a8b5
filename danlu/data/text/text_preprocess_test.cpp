#include "danlu/data/text/text_preprocess.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "danlu/base/error.h"
#include "danlu/base/temporary_directory.h"
#include "danlu/data/dataset/text_dataset.h"
#include "danlu/data/table/csv.h"
#include "danlu/data/table/values.h"
#include "danlu/data/text/bpe_trainer.h"

namespace danlu::data {
namespace {

Table table_of(const std::string& text) {
  const TemporaryDirectory directory;
  write_file_atomic(directory / "texts.csv", text);
  return read_csv(directory / "texts.csv");
}

TextPreprocess fitted(const Table& table, int64_t length) {
  BpeTrainer trainer({.vocab_size = 270, .min_frequency = 2, .special_tokens = {}});
  for (int64_t row = 0; row < table.num_rows(); ++row) trainer.add(std::string_view(table.cell(row, 0)));
  const std::vector<int64_t> rows = all_rows(table);
  auto target = TargetEncoder::fit(table, rows, infer_schema(table).column("kind"), "classification", {}, "standard");
  return {"text", length, Tokenizer(trainer.train()), std::move(target)};
}

const char* const kTexts = "text,kind\nthe red red rose,flower\nthe grey grey stone,rock\na red rose,flower\na stone,rock\n";

TEST(TextPreprocess, IdsAreThoseOfTheTokeniserAndOne) {
  const Table table = table_of(kTexts);
  const TextPreprocess p = fitted(table, 64);
  const std::vector<TokenId> ids = p.tokenizer()->encode("the red rose");
  const std::vector<int64_t> got = p.encode("the red rose");
  ASSERT_EQ(got.size(), ids.size());
  for (size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(got[i], ids[i] + 1);
  EXPECT_EQ(p.vocab_size(), p.tokenizer()->vocab_size() + 1);
}

TEST(TextPreprocess, LongTextsAreCutAndShortOnesPadded) {
  const Table table = table_of(kTexts);
  const TextPreprocess p = fitted(table, 3);
  const Tensor x = p.encode(table_of("text\nthe red red rose and much more of it\nx\n\"\"\n"));
  ASSERT_EQ(x.shape(), (Shape{3, 3}));
  EXPECT_EQ(x.data<int64_t>()[4], 0) << "one token, then padding";
  EXPECT_EQ(x.data<int64_t>()[6], 0) << "a text of nothing";
  EXPECT_EQ(p.encode(std::string(10 << 20, 'z')).size(), 3u);
  EXPECT_TRUE(p.encode("").empty());
  EXPECT_EQ(p.bytes_read("x"), 1u);
  EXPECT_EQ(p.bytes_read(std::string(10 << 20, '?')), 3u) << "of three bytes that no merge joins";
}

TEST(TextPreprocess, ComesBackFromJson) {
  const Table table = table_of(kTexts);
  const TextPreprocess p = fitted(table, 16), q = TextPreprocess::from_json(parse_json(to_line(p.to_json()), "p"), "p");
  EXPECT_EQ(q.encode("the red stone 红石"), p.encode("the red stone 红石"));
  EXPECT_EQ(q.target().class_names(), p.target().class_names());
  EXPECT_EQ(q.to_json(), p.to_json());
}

TEST(TextPreprocess, DamagedStatesAreRefused) {
  const Json good = fitted(table_of(kTexts), 16).to_json();
  for (const auto& [key, value] : std::vector<std::pair<const char*, Json>>{{"length", 0}, {"length", 1e12}, {"length", 1.5}, {"length", "x"}, {"tokenizer", 3},
                                                                            {"tokenizer", Json::object()}, {"column", 7}, {"target", Json::array()}}) {
    Json bad = good;
    bad[key] = value;
    EXPECT_THROW(TextPreprocess::from_json(bad, "preprocess.json"), DataError) << key << " " << value;
    bad.erase(key);
    EXPECT_THROW(TextPreprocess::from_json(bad, "preprocess.json"), DataError) << key;
  }
}

TEST(TextDataset, BatchesAreAsLongAsTheirLongest) {
  const Tensor y = Tensor::zeros({3}, Dtype::i64);
  const TextDataset dataset({{5, 6, 7}, {}, {9}}, y);
  Batch batch;
  const std::vector<int64_t> two = {2, 1}, all = {0, 2};
  dataset.gather(two, batch);
  EXPECT_EQ(batch.x.shape(), (Shape{2, 1}));
  dataset.gather(all, batch);
  ASSERT_EQ(batch.x.shape(), (Shape{2, 3}));
  EXPECT_EQ(batch.x.data<int64_t>()[3], 9);
  EXPECT_EQ(batch.x.data<int64_t>()[4], 0);
  EXPECT_THROW(TextDataset({{1}}, y), ShapeError);
}

TEST(TextDataset, TokensAreLeftOutInTrainingAlone) {
  std::vector<int64_t> text(400);
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<int64_t>(i) + 1;
  const TextDataset dataset({text}, Tensor::zeros({1}, Dtype::i64), 0.25);
  const std::vector<int64_t> one = {0};
  Batch evaluated, trained, again, later;
  dataset.gather(one, evaluated);
  EXPECT_EQ(evaluated.x.size(1), 400);
  dataset.gather(one, trained, {Phase::train, 7, 1});
  dataset.gather(one, again, {Phase::train, 7, 1});
  dataset.gather(one, later, {Phase::train, 7, 2});
  EXPECT_NEAR(static_cast<double>(trained.x.size(1)), 300, 40);
  const auto ids = [](const Batch& b) { return std::vector<int64_t>(b.x.span<int64_t>().begin(), b.x.span<int64_t>().end()); };
  EXPECT_EQ(ids(trained), ids(again)) << "the same for a resumed training";
  EXPECT_NE(ids(trained), ids(later));
  EXPECT_TRUE(std::is_sorted(trained.x.span<int64_t>().begin(), trained.x.span<int64_t>().end())) << "in their order";
}

}  // namespace
}  // namespace danlu::data
