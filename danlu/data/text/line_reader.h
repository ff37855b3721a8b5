// The lines of a text file, one at a time, checked to be UTF-8.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "danlu/base/file_reader.h"

namespace danlu::data {

// What becomes of bytes that are not UTF-8: they become U+FFFD, are an error that names the place, or stay.
enum class InvalidUtf8 { replace, error, keep };

class LineReader {
 public:
  // max_line_bytes is at least that of a character, 4. Throws FileError.
  LineReader(const fs::path& path, InvalidUtf8 invalid, size_t max_line_bytes);

  // The next line with its line end; false after the last. A longer line than max_line_bytes comes in parts, cut between
  // characters. The view is valid until the next call. A byte order mark is passed over. Throws DataError if the file
  // begins like UTF-16 or a binary file, or for invalid bytes where they are an error; FileError.
  bool next(std::string_view& line);
  // Whether the line given last went on after the part given.
  bool in_parts() const { return in_parts_; }
  int64_t line_number() const { return line_number_; }  // from 1
  std::string place() const;                            // "file:line"
  int64_t replaced() const { return replaced_; }        // lines with such bytes so far

 private:
  bool fill();
  void check_start() const;
  std::string_view repaired(std::string_view line);

  fs::path path_;
  InvalidUtf8 invalid_;
  size_t max_line_bytes_;
  FileReader file_;
  std::string buffer_;
  size_t begin_ = 0, end_ = 0;  // of what is left in the buffer
  bool at_end_ = false, in_parts_ = false;
  int64_t line_number_ = 0, replaced_ = 0;
  std::string repaired_;
};

}  // namespace danlu::data
