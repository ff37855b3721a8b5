#include "danlu/data/dataset/series_dataset.h"

#include <gmock/gmock.h>

#include <cmath>

#include "danlu/data/series/testing.h"

namespace danlu::data {
namespace {

using testing::ElementsAre;
using testing::IsNan;

TEST(SeriesDataset, HasWindowsWithinItsPart) {
  const Panel panel = ramp(60);
  const auto preprocess = SeriesPreprocess::fit(panel, windows(4, 3, 2), 40);
  const auto training = origins_between(panel, preprocess, 0, 40), test = origins_between(panel, preprocess, 47, 59, 4);
  EXPECT_EQ(training.front().period, 9);
  EXPECT_EQ(training.back().period, 37) << "whose horizon ends with the part";
  ASSERT_EQ(test.size(), 3u);
  EXPECT_EQ(test[1].period, 51);
  const SeriesDataset dataset(panel, preprocess, training);
  Batch batch;
  dataset.gather(std::vector<int64_t>{0, 1}, batch);
  EXPECT_EQ(batch.x.shape(), (Shape{2, 7, 2}));
  EXPECT_THAT(batch.y.to_vector(), ElementsAre(IsNan(), 1, 2, 1, 1.5, 2)) << "9 is a gap; 10 less 8 and 11 less 7, over 2; then 10 to 12 less 8, which fills the gap";
}

TEST(SeriesDataset, AnOriginHasSomethingToLookAtAndSomethingToForetell) {
  Panel panel = ramp(60);
  for (size_t p = 20; p < 27; ++p) panel.series[0].values[p] = NAN;
  const auto preprocess = SeriesPreprocess::fit(panel, windows(4, 3, 2), 40);
  std::vector<int64_t> periods;
  for (const Origin& origin : origins_between(panel, preprocess, 15, 35)) periods.push_back(origin.period);
  EXPECT_THAT(periods, ElementsAre(15, 16, 17, 18, 28, 29, 30, 31, 32)) << "19 to 24 have nothing to foretell, 25 to 27 nothing to look at";
}

}  // namespace
}  // namespace danlu::data
