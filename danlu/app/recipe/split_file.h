// split.json: which samples of the source train, validate and test.
#pragma once

#include "danlu/base/files.h"
#include "danlu/base/json.h"
#include "danlu/data/dataset/split.h"

namespace danlu::app {

// {"train": [0, 2, ...], "validation": [...], "test": [...]}
Json to_json(const data::Split& split);

// Throws FileError, or DataError naming the file where it is none of a source of `size` samples.
data::Split read_split(const fs::path& file, int64_t size);

}  // namespace danlu::app
