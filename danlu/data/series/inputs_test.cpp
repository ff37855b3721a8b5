#include "danlu/data/series/inputs.h"

#include <gtest/gtest.h>

#include <set>

#include "danlu/data/series/testing.h"

namespace danlu::data {
namespace {

std::vector<std::string> names(const std::vector<SeriesInput>& inputs) {
  std::vector<std::string> all;
  for (const SeriesInput& input : inputs) all.push_back(input.name);
  return all;
}

TEST(SeriesInputs, EveryNumberButTheLastValueBelongsToOne) {
  SeriesOptions options = daily();
  options.length = 11;
  options.horizon = 3;
  options.season = 7;
  options.lags = {14};
  options.known = {"holiday"};
  options.calendar = {"weekday", "year"};
  const SeriesPreprocess preprocess = SeriesPreprocess::of(resolve_series_options(options, Frequency::parse("day")));
  const std::vector<SeriesInput> inputs = series_inputs(preprocess);
  EXPECT_EQ(names(inputs), (std::vector<std::string>{"value 2 before", "values 3 to 4 before", "values 5 to 8 before", "values 9 to 11 before", "value a season before", "lag 14", "holiday",
                                                     "weekday", "time of year"}));
  std::set<int64_t> cells;
  int64_t count = 0;
  for (const SeriesInput& input : inputs) {
    count += std::ssize(input.cells);
    cells.insert(input.cells.begin(), input.cells.end());
  }
  EXPECT_EQ(std::ssize(cells), count) << "none twice";
  EXPECT_EQ(count, preprocess.rows() * preprocess.channels() - 1);
  EXPECT_FALSE(cells.contains(10 * preprocess.channels())) << "the last value, which is 0";
  EXPECT_EQ(inputs[0].cells, (std::vector<int64_t>{9 * preprocess.channels()}));
}

TEST(SeriesInputs, TheLastValueAsReferenceSaysNothing) {
  SeriesOptions options = windows(4, 2, 4);
  options.reference = "last";
  EXPECT_EQ(names(series_inputs(SeriesPreprocess::of(options))), (std::vector<std::string>{"value 2 before", "values 3 to 4 before", "lag 5"}));
}

}  // namespace
}  // namespace danlu::data
