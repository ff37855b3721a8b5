// A recommender's answers for files, by the same steps as the server's.
#pragma once

#include <string>
#include <vector>

#include "danlu/app/recipe/predict_files.h"
#include "danlu/infer/recommender.h"

namespace danlu::app {

// Table files with a row for each question: a column of users, called as in the training data, or a column "items" with what was met, "|"
// between them, or both. JSON lines: the line of the row and the answer of the server. CSV: a row for each recommendation. Throws
// FileError or DataError for the first input that will not do: then there is no answer at all.
std::string recommend_files(const infer::Recommender& recommender, const std::vector<fs::path>& inputs, AnswerForm form, int64_t k, const data::CsvOptions& csv = {});

}  // namespace danlu::app
