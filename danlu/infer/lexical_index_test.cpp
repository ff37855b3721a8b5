#include "danlu/infer/lexical_index.h"

#include <gmock/gmock.h>

#include <cmath>

namespace danlu::infer {
namespace {

const std::vector<std::string> kTexts = {"red apples and green apples", "green tea", "a red car"};

std::vector<float> scores(const LexicalIndex& index, std::string_view text) {
  const QueryPart part{text};
  return index.scores({&part, 1});
}

TEST(LexicalIndex, IsBm25OverTheMostThereCouldBe) {
  // Terms without those that hold a sentence together: 4, 2 and 2, so 8/3 on average.
  const LexicalIndex index(kTexts, data::TermKind::words);
  const std::vector<float> found = scores(index, "green apples?");
  const auto saturation = [](double f, double length) { return f * 2.2 / (f + 1.2 * (0.25 + 0.75 * length / (8.0 / 3))); };
  const double green = std::log(1 + (3 - 2 + 0.5) / 2.5), apples = std::log(1 + (3 - 1 + 0.5) / 1.5);
  const double most = 2.2 * (green + apples);
  EXPECT_NEAR(found[0], (green * saturation(1, 4) + apples * saturation(2, 4)) / most, 1e-6);
  EXPECT_NEAR(found[1], green * saturation(1, 2) / most, 1e-6);
  EXPECT_EQ(found[2], 0);
}

TEST(LexicalIndex, TermsThatNoTextHasLowerTheScore) {
  const LexicalIndex index(kTexts, data::TermKind::words);
  EXPECT_LT(scores(index, "green submarine")[1], 0.5f * scores(index, "green")[1]);
  for (const char* text : {"yellow submarine", "", "and the"}) EXPECT_THAT(scores(index, text), testing::ElementsAre(0, 0, 0)) << text;
}

TEST(LexicalIndex, EarlierPartsCountLess) {
  const LexicalIndex index(kTexts, data::TermKind::words);
  const std::vector<QueryPart> query{{"car"}, {"tea", 0.5}};
  const std::vector<float> found = index.scores(query);
  EXPECT_EQ(found[0], 0);
  EXPECT_GT(found[1], 0);
  EXPECT_FLOAT_EQ(found[2], 2 * found[1]) << "words that are as rare, in texts that are as long";
  const std::vector<QueryPart> twice{{"tea"}, {"tea", 0.5}};
  EXPECT_EQ(index.scores(twice), scores(index, "tea")) << "a term counts once";
}

TEST(LexicalIndex, GramsFindWordsInOtherForms) {
  const LexicalIndex words(kTexts, data::TermKind::words), grams(kTexts, data::TermKind::grams);
  EXPECT_EQ(scores(words, "apple")[0], 0);
  EXPECT_GT(scores(grams, "apple")[0], 0.2);
  EXPECT_GT(scores(grams, "aples")[0], 0.1);
}

TEST(LexicalIndex, NoTextsHaveNoScores) { EXPECT_TRUE(scores(LexicalIndex({}, data::TermKind::words), "x").empty()); }

}  // namespace
}  // namespace danlu::infer
