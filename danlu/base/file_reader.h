// The bytes of a file from front to back, unpacked if it is a gzip file: for files larger than memory.
#pragma once

#include <cstddef>
#include <span>

#include "danlu/base/files.h"

struct gzFile_s;

namespace danlu {

class FileReader {
 public:
  // Throws FileError with the path and the system's reason.
  explicit FileReader(fs::path path);
  ~FileReader();
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;

  // Fills `out` from the front; fewer bytes only at the end of the file. Throws FileError, also for a compressed stream
  // that is damaged or cut short.
  size_t read(std::span<char> out);

 private:
  fs::path path_;
  gzFile_s* file_ = nullptr;
};

}  // namespace danlu
