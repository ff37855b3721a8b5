#include "danlu/app/explain/word_weights.h"

#include <gtest/gtest.h>

namespace danlu::app {
namespace {

infer::Explanation text(const std::string& label, const std::vector<std::pair<std::string, double>>& words) {
  infer::Explanation explanation;
  explanation.input = infer::InputKind::text;
  explanation.label = label;
  for (const auto& [word, contribution] : words) explanation.parts.push_back({.name = {}, .value = word, .contribution = contribution});
  return explanation;
}

TEST(WordWeights, AddUpOverTextsWhateverTheMarksAroundAWord) {
  WordWeights weights;
  EXPECT_TRUE(weights.to_json().is_null());
  weights.add(text("good", {{"Lovely", 0.25}, {" tea,", 0.125}, {" ,", 9}, {" not", -0.5}}));
  weights.add(text("good", {{" lovely!", 0.5}}));
  weights.add(text("bad", {{"\xE8\x8C\xB6", 0.5}}));
  const Json json = weights.to_json();
  EXPECT_EQ(json["texts"], 3);
  const Json& good = json["classes"][0];
  EXPECT_EQ(good["class"], "good") << "of two texts";
  EXPECT_EQ(good["for"].size(), 2u) << "marks are no word";
  EXPECT_EQ(good["for"][0]["word"], "lovely");
  EXPECT_EQ(good["for"][0]["contribution"], 0.75);
  EXPECT_EQ(good["for"][0]["times"], 2);
  EXPECT_EQ(good["against"][0]["word"], "not");
  EXPECT_EQ(json["classes"][1]["for"][0]["word"], "\xE8\x8C\xB6");
}

}  // namespace
}  // namespace danlu::app
