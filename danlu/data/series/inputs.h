// What of a sample (SeriesPreprocess) belongs together and has a name: for saying what a forecast comes from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "danlu/data/series/preprocess.h"

namespace danlu::data {

struct SeriesInput {
  std::string name;            // "values 3 to 4 before", "value a season before", "lag 364", "weekday", or the column known in advance
  std::vector<int64_t> cells;  // of a sample, rows() * channels() numbers
};

// All that is not the same in every sample. Values are taken together in stretches that grow with their distance from the origin: 2, 3 to 4,
// 5 to 8 periods before, and so on; of the last value nothing is told, as all others are told by their difference to it.
std::vector<SeriesInput> series_inputs(const SeriesPreprocess& preprocess);

}  // namespace danlu::data
