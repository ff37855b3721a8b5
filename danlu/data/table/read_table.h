// Any table file, by its extension: .csv .tsv .tab .txt (danlu/data/table/csv.h), .arff (arff.h), .json (a list of row
// objects) and .jsonl (one row object a line), each also with .gz after it.
#pragma once

#include "danlu/base/files.h"
#include "danlu/data/table/csv.h"
#include "danlu/data/table/table.h"

namespace danlu::data {

// Throws DataError for an unknown extension or bad contents, FileError if the file cannot be read. Options that the
// format has no use for are ignored.
Table read_table(const fs::path& path, const CsvOptions& options = {});

// Whether read_table takes files of this name.
bool is_table_file(const fs::path& path);

}  // namespace danlu::data
