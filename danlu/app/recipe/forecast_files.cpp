#include "danlu/app/recipe/forecast_files.h"

#include "danlu/base/format.h"
#include "danlu/data/table/read_table.h"

namespace danlu::app {

std::string forecast_files(const infer::Forecaster& forecaster, const std::vector<fs::path>& inputs, AnswerForm form, std::optional<int64_t> horizon, const data::CsvOptions& csv) {
  std::string answers;
  if (form == AnswerForm::csv) {
    answers = "series,time,value";
    for (const eval::ResidualBand& band : forecaster.bands()) answers += fmt::format(",low_{0:g},high_{0:g}", 100 * band.share);
    answers += "\n";
  }
  for (const fs::path& input : inputs) {
    for (const infer::Forecast& forecast : forecaster.forecast(data::read_table(input, csv), horizon)) {
      if (form == AnswerForm::jsonl) {
        answers += to_line(infer::to_json(forecast)) + "\n";
        continue;
      }
      for (const infer::Forecast::Step& step : forecast.steps) {
        answers += fmt::format("{},{},{}", data::csv_cell(forecast.series), step.time, step.value);
        for (const infer::Forecast::Interval& i : step.intervals) answers += fmt::format(",{},{}", i.low, i.high);
        answers += "\n";
      }
    }
  }
  return answers;
}

}  // namespace danlu::app
