#include "danlu/eval/choice_model.h"

#include <gtest/gtest.h>

#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/rng.h"

namespace danlu::eval {
namespace {

TEST(ChoiceModel, OfTwoAlternativesIsLogisticRegression) {
  // The constant alone: 3 of 4 are right, so that the odds are 3 and the weight ln 3, but for the ridge.
  std::vector<Choice> choices(4, {{1, 0}, 0});
  choices[3].right = 1;
  EXPECT_NEAR(fit_choice_model(choices, 1, 1e-9)[0], std::log(3.0), 1e-5);
  EXPECT_NEAR(choice_probabilities(std::vector<float>{1, 0}, std::vector<double>{std::log(3.0)})[0], 0.75, 1e-12);
}

TEST(ChoiceModel, FindsTheWeightsThatChoicesWereMadeBy) {
  const std::vector<double> truth{2, -1, 0.5};
  Rng rng(3);
  std::vector<Choice> choices;
  for (int i = 0; i < 4000; ++i) {
    Choice choice;
    for (int k = 0; k < 5 * 3; ++k) choice.features.push_back(rng.normal());
    const std::vector<double> p = choice_probabilities(choice.features, truth);
    double u = rng.uniform();
    while (choice.right < 4 && (u -= p[static_cast<size_t>(choice.right)]) > 0) ++choice.right;
    choices.push_back(choice);
  }
  const std::vector<double> found = fit_choice_model(choices, 3);
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(found[i], truth[i], 0.1);
}

TEST(ChoiceModel, TheRidgeKeepsWeightsFinite) {
  const std::vector<Choice> separable{{{1, 0}, 0}, {{0, 1}, 1}};
  const double weight = fit_choice_model(separable, 1)[0];
  EXPECT_GT(weight, 1);
  EXPECT_LT(weight, 10);
  EXPECT_LT(fit_choice_model(separable, 1, 10)[0], weight);
  EXPECT_EQ(fit_choice_model(std::vector<Choice>{{{0, 0, 0, 0}, 1}}, 2)[0], 0) << "nothing to learn";
}

TEST(ChoiceModel, HugeFeaturesMakeNoNaN) {
  const std::vector<double> p = choice_probabilities(std::vector<float>{1e30f, -1e30f, 0}, std::vector<double>{1});
  EXPECT_EQ(p[0], 1);
  EXPECT_EQ(p[1], 0);
  for (const float huge : {1e30f, 1e38f, INFINITY, NAN}) {
    const std::vector<double> weights = fit_choice_model(std::vector<Choice>{{{huge, 1, 0, 1}, 0}, {{0, 1, -huge, 0}, 1}}, 2);
    for (const double weight : weights) EXPECT_TRUE(std::isfinite(weight)) << huge;
  }
}

TEST(ChoiceModel, RefusesWhatDoesNotFit) {
  EXPECT_THROW(fit_choice_model({}, 1), DataError);
  EXPECT_THROW(fit_choice_model(std::vector<Choice>{{{1, 2, 3}, 0}}, 2), ShapeError);
  EXPECT_THROW(fit_choice_model(std::vector<Choice>{{{1, 2}, 2}}, 1), ShapeError);
}

}  // namespace
}  // namespace danlu::eval
