// Files: whole reads, memory maps, and writes that are either complete or absent.
//
// Every function throws FileError with the path and the system's reason. Safe from several threads on different paths.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace danlu {

namespace fs = std::filesystem;

// Reads a whole file. Refuses one larger than max_bytes before reading it.
std::string read_file(const fs::path& path, int64_t max_bytes = int64_t{4} << 30);

// The bytes of a gzip file, or of a plain one as they are. Refuses output larger than max_bytes, so that a small file
// cannot expand without bound.
std::string read_gzip(const fs::path& path, int64_t max_bytes = int64_t{4} << 30);

// Writes data to a temporary name beside path, fsyncs it, renames it over path and fsyncs the directory. A kill at any
// instant leaves the old file or the new one. Creates missing parent directories. On failure the temporary is removed.
void write_file_atomic(const fs::path& path, std::string_view data);

// The same in pieces, for files too large to hold twice.
class AtomicFileWriter {
 public:
  explicit AtomicFileWriter(fs::path path);
  ~AtomicFileWriter();  // without commit() the temporary is removed and path is untouched
  AtomicFileWriter(const AtomicFileWriter&) = delete;
  AtomicFileWriter& operator=(const AtomicFileWriter&) = delete;

  void write(const void* data, size_t bytes);
  void write(std::string_view data) { write(data.data(), data.size()); }
  void commit();

 private:
  fs::path path_;
  fs::path temporary_;
  int fd_ = -1;
};

// Renames a file or directory, over a file that is there, and syncs the directory that it is in now.
void rename_path(const fs::path& from, const fs::path& to);

// Removes, below a directory, the temporaries of writers that were killed. Nobody may be writing there.
void remove_abandoned_temporaries(const fs::path& directory);

// Appends one line (a newline is added) in a single write, so that concurrent readers never see half of it.
class LineAppender {
 public:
  explicit LineAppender(const fs::path& path);
  ~LineAppender();
  LineAppender(const LineAppender&) = delete;
  LineAppender& operator=(const LineAppender&) = delete;
  void append(std::string_view line);
  // What has been appended is on the disk when this returns.
  void sync();

 private:
  fs::path path_;
  int fd_ = -1;
};

// A read-only view of a file's bytes. The span lives as long as the object.
class MappedFile {
 public:
  explicit MappedFile(const fs::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

// create_directories with a FileError that says which path and why.
void make_directories(const fs::path& path);

// The files below a directory, sorted by path, so that the order does not depend on the file system.
std::vector<fs::path> list_files(const fs::path& directory, bool recursive);

}  // namespace danlu
