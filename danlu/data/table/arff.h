// ARFF, the attribute-relation file format of Weka.
//
//   % comment
//   @relation weather
//   @attribute temperature numeric            also real, integer
//   @attribute 'wind speed' {low, 'very high'}
//   @attribute note string
//   @attribute day date
//   @data
//   21.5, 'very high', 'it\'s fine', ?
//
// Keywords in any case; ? is missing. The declared types and categories, in their order, go to the columns. Sparse rows
// and relational attributes are refused by name.
#pragma once

#include "danlu/base/files.h"
#include "danlu/data/table/table.h"

namespace danlu::data {

// Throw DataError as `file:line: got ...; expected ...` for anything malformed, a value that its attribute does not
// declare, or a row with too many or too few values; FileError if the file cannot be read. A .gz file is unpacked.
Table read_arff(const fs::path& path);
Table parse_arff(std::string text, const std::string& source);

}  // namespace danlu::data
