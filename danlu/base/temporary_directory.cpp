#include "danlu/base/temporary_directory.h"

#include <stdlib.h>

#include <cerrno>
#include <cstring>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu {

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (fs::temp_directory_path() / "danlu-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw FileError("base.files", fmt::format("cannot create directory {}: {}", name, std::strerror(errno)));
  }
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace danlu
