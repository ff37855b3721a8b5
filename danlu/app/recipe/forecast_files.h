// A forecaster's answers for files, by the same steps as the server's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "danlu/app/recipe/predict_files.h"
#include "danlu/infer/forecaster.h"

namespace danlu::app {

// Table files with the history of each series, as the training data have it. JSON lines: a line for each series, as the server answers. CSV:
// a row for each period that is foretold, with the bounds of its intervals. Throws FileError or DataError for the first input that will not
// do: then there is no answer at all.
std::string forecast_files(const infer::Forecaster& forecaster, const std::vector<fs::path>& inputs, AnswerForm form, std::optional<int64_t> horizon, const data::CsvOptions& csv = {});

}  // namespace danlu::app
