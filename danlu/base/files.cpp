#include "danlu/base/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu {
namespace {

constexpr const char* kWhere = "base.files";

[[noreturn]] void fail(const char* action, const fs::path& path, int error) {
  const char* hint = error == ENOSPC   ? "; the disk is full: free some space and run the command again"
                     : error == EACCES ? "; check the permissions"
                     : error == ENOENT ? "; check the spelling and the working directory"
                                       : "";
  throw FileError(kWhere, fmt::format("cannot {} {}: {}{}", action, path.string(), std::strerror(error), hint));
}

// Closes the descriptor when the scope ends.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

int64_t checked_size(int fd, const fs::path& path, int64_t max_bytes) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) fail("stat", path, errno);
  if (S_ISDIR(info.st_mode)) fail("read", path, EISDIR);
  if (info.st_size > max_bytes) {
    throw FileError(kWhere, fmt::format("got {} of {} bytes; expected at most {}", path.string(), info.st_size, max_bytes));
  }
  return info.st_size;
}

void write_all(int fd, const char* data, size_t bytes, const fs::path& path) {
  while (bytes > 0) {
    const ssize_t written = ::write(fd, data, bytes);
    if (written < 0) {
      if (errno == EINTR) continue;
      fail("write", path, errno);
    }
    data += written;
    bytes -= static_cast<size_t>(written);
  }
}

void sync_directory(const fs::path& directory) {
  const Descriptor fd(::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) fail("open", directory, errno);
  // Some network file systems know no fsync of a directory and say EINVAL: the rename has happened all the same.
  if (::fsync(fd.get()) != 0 && errno != EINVAL) fail("sync", directory, errno);
}

}  // namespace

std::string read_file(const fs::path& path, int64_t max_bytes) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) fail("open", path, errno);
  std::string data;
  data.reserve(static_cast<size_t>(checked_size(fd.get(), path, max_bytes)) + 1);
  // Read to the end rather than to the size, so that pipes and /proc work too.
  char buffer[1 << 16];
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
    if (got < 0) {
      if (errno == EINTR) continue;
      fail("read", path, errno);
    }
    if (got == 0) return data;
    if (static_cast<int64_t>(data.size()) + got > max_bytes) {
      throw FileError(kWhere, fmt::format("got more than {} bytes from {}", max_bytes, path.string()));
    }
    data.append(buffer, static_cast<size_t>(got));
  }
}

std::string read_gzip(const fs::path& path, int64_t max_bytes) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail("open", path, errno);
  gzFile file = gzdopen(fd, "rb");  // passes plain files through
  if (file == nullptr) {
    ::close(fd);
    fail("open", path, ENOMEM);
  }
  gzbuffer(file, 1 << 18);
  std::string data;
  std::string problem;
  std::string buffer(1 << 18, '\0');
  for (;;) {
    const int got = gzread(file, buffer.data(), static_cast<unsigned>(buffer.size()));
    if (got < 0) {
      int code = 0;
      problem = gzerror(file, &code);
      break;
    }
    if (got == 0) break;
    if (static_cast<int64_t>(data.size()) + got > max_bytes) {
      problem = fmt::format("it expands to more than {} bytes", max_bytes);
      break;
    }
    data.append(buffer, 0, static_cast<size_t>(got));
  }
  const int closed = gzclose(file);
  if (problem.empty() && closed == Z_BUF_ERROR) problem = "the compressed stream is cut short";
  if (!problem.empty()) throw FileError(kWhere, fmt::format("cannot read {}: {}", path.string(), problem));
  return data;
}

namespace {

constexpr std::string_view kTemporary = ".tmp-";  // then the process and a serial number: "best.safetensors.tmp-4711-3"

bool is_temporary(const std::string& name) {
  const size_t at = name.rfind(kTemporary);
  return at != std::string::npos && name.find_first_not_of("0123456789-", at + kTemporary.size()) == std::string::npos;
}

}  // namespace

void remove_abandoned_temporaries(const fs::path& directory) {
  for (const fs::path& file : list_files(directory, true)) {
    if (is_temporary(file.filename().string()) && ::unlink(file.c_str()) != 0) fail("remove", file, errno);
  }
}

AtomicFileWriter::AtomicFileWriter(fs::path path) : path_(std::move(path)) {
  if (path_.has_parent_path()) make_directories(path_.parent_path());
  temporary_ = path_;
  static std::atomic<uint64_t> serial{0};  // two writers of one path, in one process, must not share a temporary
  temporary_ += fmt::format("{}{}-{}", kTemporary, ::getpid(), serial++);
  fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd_ < 0) fail("create", temporary_, errno);
}

AtomicFileWriter::~AtomicFileWriter() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporary_.c_str());
}

void AtomicFileWriter::write(const void* data, size_t bytes) {
  write_all(fd_, static_cast<const char*>(data), bytes, path_);
}

void AtomicFileWriter::commit() {
  if (::fsync(fd_) != 0) fail("sync", path_, errno);
  const int fd = std::exchange(fd_, -1);
  if (::close(fd) != 0 || ::rename(temporary_.c_str(), path_.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary_.c_str());
    fail("replace", path_, error);
  }
  sync_directory(path_.parent_path());
}

void write_file_atomic(const fs::path& path, std::string_view data) {
  AtomicFileWriter writer(path);
  writer.write(data);
  writer.commit();
}

void rename_path(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) fail(fmt::format("rename {} to", from.string()).c_str(), to, errno);
  sync_directory(to.parent_path());
}

LineAppender::LineAppender(const fs::path& path) : path_(path) {
  if (path.has_parent_path()) make_directories(path.parent_path());
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd_ < 0) fail("open", path, errno);
}

LineAppender::~LineAppender() { ::close(fd_); }

void LineAppender::append(std::string_view line) {
  std::string text(line);
  text.push_back('\n');
  write_all(fd_, text.data(), text.size(), path_);
}

void LineAppender::sync() {
  if (::fsync(fd_) != 0) fail("sync", path_, errno);
}

MappedFile::MappedFile(const fs::path& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) fail("open", path, errno);
  size_ = static_cast<size_t>(checked_size(fd.get(), path, INT64_MAX));
  if (size_ == 0) return;  // mmap refuses an empty range
  void* address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (address == MAP_FAILED) fail("map", path, errno);
  data_ = static_cast<const std::byte*>(address);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

void make_directories(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) fail("create directory", path, error.value());
}

std::vector<fs::path> list_files(const fs::path& directory, bool recursive) {
  std::vector<fs::path> files;
  std::error_code error;
  const auto collect = [&](auto iterator) {
    for (; !error && iterator != decltype(iterator)(); iterator.increment(error)) {
      std::error_code broken_link;  // of one entry: not a reason to give up on the others
      if (iterator->is_regular_file(broken_link)) files.push_back(iterator->path());
    }
  };
  if (recursive) {
    collect(fs::recursive_directory_iterator(directory, error));
  } else {
    collect(fs::directory_iterator(directory, error));
  }
  if (error) fail("list", directory, error.value());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace danlu
