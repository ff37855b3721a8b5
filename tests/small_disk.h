#pragma once

#include <sys/mount.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "danlu/base/files.h"
#include "danlu/base/format.h"

namespace danlu::test {

// A small file system of its own, where the tests may mount one.
class SmallDisk {
 public:
  SmallDisk(fs::path path, int kilobytes) : path_(std::move(path)) {
    fs::create_directories(path_);
    const std::string size = fmt::format("size={}k", kilobytes);
    if (::mount("tmpfs", path_.c_str(), "tmpfs", 0, size.c_str()) != 0) reason_ = std::strerror(errno);
  }
  ~SmallDisk() {
    if (is_mounted()) ::umount2(path_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool is_mounted() const { return reason_.empty(); }
  const std::string& reason() const { return reason_; }
  // From now on nothing can be written, by root either.
  void make_read_only() {
    if (::mount(nullptr, path_.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) != 0) reason_ = std::strerror(errno);
  }

 private:
  fs::path path_;
  std::string reason_;
};

}  // namespace danlu::test
