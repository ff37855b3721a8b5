#include "danlu/app/recipe/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::app {

FileLock::FileLock(const fs::path& path) {
  make_directories(path.parent_path());
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  int result = -1;
  while (fd_ >= 0 && (result = ::flock(fd_, LOCK_EX)) != 0 && errno == EINTR) {
  }
  if (result == 0) return;
  const int error = errno;
  if (fd_ >= 0) ::close(fd_);
  throw FileError("app.run", fmt::format("cannot lock {}: {}", path.string(), std::strerror(error)));
}

FileLock::~FileLock() { ::close(fd_); }

}  // namespace danlu::app
