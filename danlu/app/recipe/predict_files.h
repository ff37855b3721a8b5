// A bundle's answers for files, by the same steps as the server's.
#pragma once

#include <string>
#include <vector>

#include "danlu/base/files.h"
#include "danlu/data/table/csv.h"
#include "danlu/infer/predictor.h"

namespace danlu::app {

// A file that is named is taken as it is; of a directory those that are called images are. Throws DataError for a directory without any.
std::vector<fs::path> image_files(const std::vector<fs::path>& inputs);

enum class AnswerForm { csv, jsonl };

// One line for each row or image, after a header for CSV: the line of the row or the path of the image, then the label
// and the probability of each class, the labels between | and the probability of each, the cluster and the distance from each,
// or the value. `inputs` are table files, or image files and directories of them.
// Throws FileError or DataError for the first input that will not do: then there is no answer at all.
std::string predict_files(infer::Predictor& predictor, const std::vector<fs::path>& inputs, AnswerForm form,
                          const data::CsvOptions& csv = {});

}  // namespace danlu::app
