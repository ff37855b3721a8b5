#include "danlu/eval/predictions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "danlu/eval/testing.h"

namespace danlu::eval {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Labels = std::vector<int64_t>;
using Reals = std::vector<double>;
using Floats = std::vector<float>;

TEST(Predictions, OneColumnIsClassOne) {
  const Predictions one = Predictions::classification(Labels{0, 1}, Floats{0.25f, 0.5f}, 2);
  EXPECT_EQ(one.task(), Task::binary);
  EXPECT_EQ(one.size(), 2);
  EXPECT_THAT(one.probabilities(), ElementsAre(0.75, 0.25, 0.5, 0.5));
  EXPECT_THAT(one.predicted(), ElementsAre(0, 1));
}

TEST(Predictions, TheThresholdDecidesBetweenTwoClasses) {
  const Reals probabilities{0.9, 0.1, 0.7, 0.3};
  EXPECT_THAT(Predictions::classification(Labels{0, 1}, probabilities, 2).predicted(), ElementsAre(0, 0));
  EXPECT_THAT(Predictions::classification(Labels{0, 1}, probabilities, 2, 0.3).predicted(), ElementsAre(0, 1));
}

TEST(Predictions, TheMostProbableOfManyClasses) {
  const Predictions p = Predictions::classification(Labels{2, 0}, Reals{0.2, 0.3, 0.5, 0.4, 0.4, 0.2}, 3);
  EXPECT_EQ(p.task(), Task::multiclass);
  EXPECT_THAT(p.predicted(), ElementsAre(2, 0));  // the first of equals
}

TEST(Predictions, RoundingAboveOneIsForgiven) {
  const Predictions p = Predictions::classification(Labels{1}, Floats{1.0000001f}, 2);
  EXPECT_THAT(p.probabilities(), ElementsAre(0, 1));
}

TEST(Predictions, RefusesWhatIsNoPrediction) {
  const auto classes = [](const Labels& labels, const Reals& probabilities, int64_t count) {
    return error_of([&] { Predictions::classification(labels, probabilities, count); });
  };
  EXPECT_THAT(classes({}, {}, 2), HasSubstr("[eval.predictions] got no samples"));
  EXPECT_THAT(classes({0}, {0.5}, 3), HasSubstr("got 1 probabilities for 1 samples of 3 classes"));
  EXPECT_THAT(classes({0}, {1}, 1), HasSubstr("two classes or more"));
  EXPECT_THAT(classes({0, 2}, {0.5, 0.5}, 2), HasSubstr("got label 2 at sample 1; expected 0 to 1"));
  EXPECT_THAT(classes({0, 1}, {0.5, 0.5, std::nan(""), 0.5}, 2), HasSubstr("got probability nan at sample 1"));
  EXPECT_THAT(classes({0}, {-0.1, 1.1}, 2), HasSubstr("got probability -0.1 at sample 0; expected 0 to 1"));
  const auto numbers = [](const Reals& targets, const Reals& values) {
    return error_of([&] { Predictions::regression(targets, values); });
  };
  EXPECT_THAT(numbers({}, {}), HasSubstr("got no samples"));
  EXPECT_THAT(numbers({1, 2}, {1}), HasSubstr("got 1 values; expected one for each of 2 targets"));
  EXPECT_THAT(numbers({1, 2}, {1, std::numeric_limits<double>::infinity()}),
              HasSubstr("got predicted value inf at sample 1"));
  EXPECT_THAT(numbers({std::nan("")}, {1}), HasSubstr("got target nan at sample 0"));
}

}  // namespace
}  // namespace danlu::eval
