#include "danlu/base/file_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu {
namespace {

[[noreturn]] void fail(const char* action, const fs::path& path, const std::string& reason) {
  throw FileError("base.files", fmt::format("cannot {} {}: {}", action, path.string(), reason));
}

}  // namespace

FileReader::FileReader(fs::path path) : path_(std::move(path)) {
  const int fd = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail("open", path_, std::strerror(errno));
  struct stat info {};
  const bool directory = ::fstat(fd, &info) == 0 && S_ISDIR(info.st_mode);
  file_ = directory ? nullptr : gzdopen(fd, "rb");  // passes plain files through
  if (file_ == nullptr) {
    ::close(fd);
    fail("read", path_, std::strerror(directory ? EISDIR : ENOMEM));
  }
  gzbuffer(file_, 1 << 18);
}

FileReader::~FileReader() { gzclose_r(file_); }

size_t FileReader::read(std::span<char> out) {
  size_t done = 0;
  while (done < out.size()) {
    const auto wanted = static_cast<unsigned>(std::min<size_t>(out.size() - done, 1 << 30));
    const int got = gzread(file_, out.data() + done, wanted);
    int code = Z_OK;
    const char* reason = gzerror(file_, &code);
    if (got < 0 || code == Z_BUF_ERROR) {
      fail("read", path_, code == Z_BUF_ERROR ? "the compressed stream is cut short"
                          : code == Z_ERRNO   ? std::strerror(errno)
                                              : reason);
    }
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

}  // namespace danlu
