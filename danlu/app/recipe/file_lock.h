// A lock that processes hold one after the other. The system takes it back when its process ends, however it ends.
#pragma once

#include "danlu/base/files.h"

namespace danlu::app {

class FileLock {
 public:
  // Waits for whoever holds it. The file is made where it is not there, and stays. Throws FileError if it cannot be.
  explicit FileLock(const fs::path& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int fd_ = -1;
};

}  // namespace danlu::app
