#include "danlu/data/series/preprocess.h"

#include <gmock/gmock.h>

#include "danlu/base/error.h"
#include "danlu/data/series/testing.h"

namespace danlu::data {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(SeriesPreprocess, ShowsThePastAndNothingElse) {
  const Panel panel = ramp(60);
  const auto preprocess = SeriesPreprocess::fit(panel, windows(4, 3, 2), 40);
  ASSERT_EQ(preprocess.history(), 9);
  std::vector<float> x(static_cast<size_t>(preprocess.rows() * preprocess.channels()));
  const ForecastFrame frame = preprocess.encode(panel, 0, 20, x);
  EXPECT_EQ(frame.last, 18) << "19 is a gap: filled with what stands before the origin, not with 20";
  EXPECT_THAT(frame.seasonal, ElementsAre(18, 18, 18)) << "of 20, 21, 22 a season of 2 before: 18, 19, 18";
  EXPECT_DOUBLE_EQ(frame.scale, 2) << "what changes in a season";
  EXPECT_THAT(x, ElementsAre(-1, -3.5, -0.5, -3, 0, -2.5, 0, -2, 0, -1.5, 0, -1, 0, -0.5)) << "value or reference, and the value 5 before, less 18, over 2";

  Panel other = panel;
  for (size_t p = 20; p < 60; ++p) other.series[0].values[p] = -1000;
  std::vector<float> y(x.size());
  preprocess.encode(other, 0, 20, y);
  EXPECT_EQ(x, y) << "what comes after the origin changes nothing";
}

TEST(SeriesPreprocess, IsFittedToTheTrainingPartAndSaved) {
  const Panel panel = ramp(60);
  Panel wild = panel;
  for (size_t p = 40; p < 60; ++p) wild.series[0].values[p] *= 100;
  const auto a = SeriesPreprocess::fit(panel, windows(4, 3, 2), 40), b = SeriesPreprocess::fit(wild, windows(4, 3, 2), 40);
  EXPECT_EQ(a.to_json(), b.to_json());
  const auto again = SeriesPreprocess::from_json(a.to_json(), "p.json");
  EXPECT_EQ(again.to_json(), a.to_json());
  EXPECT_EQ(again.history(), a.history());
  Json broken = a.to_json();
  broken["scales"][0]["scale"] = 0;
  EXPECT_THAT([&] { SeriesPreprocess::from_json(broken, "p.json"); }, ThrowsMessage<DataError>(AllOf(HasSubstr("p.json"), HasSubstr("scale"))));
}

TEST(SeriesPreprocess, RefusesWhatNeverChanges) {
  Panel panel = ramp(60);
  for (size_t p = 0; p < 40; ++p) panel.series[0].values[p] = 7;
  EXPECT_THAT([&] { SeriesPreprocess::fit(panel, windows(4, 3, 2), 40); }, ThrowsMessage<DataError>(AllOf(HasSubstr("\"rides\" never changes before period 40"), HasSubstr("7"))));
}

TEST(SeriesPreprocess, ScalesWhatIsKnownWhereverItLies) {
  Panel panel = ramp(60);
  panel.series[0].known = {std::vector<double>(60), std::vector<double>(60, 3)};
  for (size_t p = 0; p < 60; ++p) panel.series[0].known[0][p] = 1e9 + static_cast<double>(p % 2);  // whose squares hide what changes
  SeriesOptions options = windows(4, 3, 2);
  options.known = {"price", "fixed"};
  const auto preprocess = SeriesPreprocess::fit(panel, options, 40);
  const Json json = preprocess.to_json();
  EXPECT_EQ(json["known_mean"], Json({1e9 + 0.5, 3.0}));
  EXPECT_EQ(json["known_std"], Json({0.5, 1.0})) << "what never changes is not scaled";
  std::vector<float> x(static_cast<size_t>(preprocess.rows() * preprocess.channels()));
  preprocess.encode(panel, 0, 20, x);
  EXPECT_THAT((std::vector<float>{x[2], x[3], x[6], x[7]}), ElementsAre(-1, 0, 1, 0)) << "of periods 16 and 17, behind value and lag";
  panel.series[0].known[0][7] = 1e200;
  EXPECT_THAT([&] { SeriesPreprocess::fit(panel, options, 40); }, ThrowsMessage<DataError>(AllOf(HasSubstr("data.series.known"), HasSubstr("\"price\""))));
}

TEST(SeriesPreprocess, NothingOfASavedOneIsBelieved) {
  const Json good = SeriesPreprocess::fit(ramp(60), windows(4, 3, 2), 40).to_json();
  const struct {
    const char* pointer;
    Json value;
    const char* words;
  } cases[] = {
      {"/kind", "table", "kind"},
      {"/options/values", Json::array(), "values"},
      {"/options/horizon", 0, "horizon"},
      {"/options/lags", {1}, "lags"},
      {"/options/frequency", "fortnight", "frequency"},
      {"/options/calendar", {"moon"}, "calendar"},
      {"/options", 3, "p.json"},
      {"/scales/0/scale", -1, "scale"},
      {"/scales/0/series", nullptr, "series"},
      {"/scales", "none", "scales"},
      {"/usual_scale", 0, "usual_scale"},
      {"/known_mean", {1}, "known_mean"},
      {"/known_std", {0}, "known_std"},
  };
  for (const auto& c : cases) {
    Json json = good;
    json[Json::json_pointer(c.pointer)] = c.value;
    EXPECT_THAT([&] { SeriesPreprocess::from_json(json, "p.json"); }, ThrowsMessage<DataError>(AllOf(HasSubstr("p.json"), HasSubstr(c.words)))) << c.pointer;
  }
  EXPECT_THROW(SeriesPreprocess::from_json(Json::array(), "p.json"), DataError);
}

}  // namespace
}  // namespace danlu::data
