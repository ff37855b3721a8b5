// Why a bundle answers as it does for files: answers as of predict_files(), each with its explanation.
#pragma once

#include <string>
#include <vector>

#include "danlu/base/files.h"
#include "danlu/data/table/csv.h"
#include "danlu/infer/forecaster.h"
#include "danlu/infer/predictor.h"

namespace danlu::app {

// [{"line" or "file", "label", "probabilities", "explanation", "map": a PNG in base64, of an image}]; of table files or image files and
// directories of them, the first `most` rows or images (0: all). Throws FileError or DataError for the first input that will not do.
Json explain_files(infer::Predictor& predictor, const std::vector<fs::path>& inputs, const data::CsvOptions& csv = {}, int64_t most = 0);

// Of a forecaster: what it foretells for each series of the files, and what each input adds to that: infer::to_json(Forecast).
Json explain_forecast_files(const infer::Forecaster& forecaster, const std::vector<fs::path>& inputs, const data::CsvOptions& csv = {}, int64_t most = 0);

}  // namespace danlu::app
