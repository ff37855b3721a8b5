// Answers from a FAQ for files of questions, by the same steps as the server's.
#pragma once

#include <string>
#include <vector>

#include "danlu/app/recipe/predict_files.h"
#include "danlu/infer/answerer.h"

namespace danlu::app {

// Table files with a column "question" and, where people ask more than once, "conversation": rows of one conversation, which are in order,
// are understood through those before. JSON lines: the line of the row and the answer of the server. CSV: a row for each question. Throws
// FileError or DataError for the first input that will not do: then there is no answer at all.
std::string answer_files(const infer::Answerer& answerer, const std::vector<fs::path>& inputs, AnswerForm form, const data::CsvOptions& csv = {});

}  // namespace danlu::app
