// The model card: what a model is, what it learnt from, how good it is and where it is not, on one page of Markdown. All of it is read
// from the files of the run: nothing is claimed that was not measured.
// Source    Mitchell et al. 2019, "Model cards for model reporting", arXiv:1810.03993.
#pragma once

#include <string>

#include "danlu/app/report/run_files.h"

namespace danlu::app {

// Of a run that has been evaluated; parts that it has no file for are left out. `split` is split.json, or an empty object.
std::string model_card(const RunFiles& run, const Json& split);

// bundle/card.md. Throws DataError, naming the run, for a file that is not as danlu writes it.
fs::path write_model_card(const RunDirectory& run);

}  // namespace danlu::app
