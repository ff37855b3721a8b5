// safetensors: named tensors in one file, read by most tools of the field. Format: github.com/huggingface/safetensors
//
//   8 bytes   length of the header, little-endian
//   header    {"__metadata__": {string: string}, NAME: {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}}
//             begins with '{' and is padded with spaces; ours so that the data begins at a multiple of 64
//   data      the tensors one after another, row-major, little-endian; offsets count from here
//
// We add one metadata key, "danlu.xxh3": a checksum over every tensor's name, type, shape and bytes and over the
// other metadata. Other readers pass over it; our own refuses a file that it does not fit.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "danlu/base/files.h"
#include "danlu/engine/tensor/tensor.h"
#include "danlu/formats/stored_type.h"

namespace danlu::formats {

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

using Metadata = std::map<std::string, std::string>;

// Writes the file whole or not at all. "format": "pt", which transformers insists on, and the checksum are added to the
// metadata. Throws DataError if two names are the same, a name is reserved, a text is not UTF-8 or a tensor is
// undefined; FileError if the disk fails.
void write_safetensors(const fs::path& path, const std::vector<NamedTensor>& tensors, const Metadata& metadata = {});

// An open file. Reading copies, so tensors outlive it. Safe to read from several threads.
class SafetensorsFile {
 public:
  // Maps the file, checks the header completely (nothing of it is trusted) and then the checksum, if there is one.
  // Throws DataError naming the file and the tensor; FileError if it cannot be opened.
  explicit SafetensorsFile(const fs::path& path);

  // In the order of the data.
  const std::vector<std::string>& names() const { return names_; }
  bool contains(std::string_view name) const { return entries_.contains(name); }
  // Throw DataError, naming the nearest, if there is no such tensor.
  const Shape& shape(std::string_view name) const { return entry(name).shape; }
  const StoredType& stored_type(std::string_view name) const { return *entry(name).type; }
  // Converted as stored_type.h says.
  Tensor read(std::string_view name) const;
  // The same without a copy: the elements stay in the file, which is mapped for as long as the tensor is held. Throws DataError for a
  // type that has to be converted. They are aligned as in the file.
  Tensor map(std::string_view name) const;
  // The elements to where they are wanted. Throws DataError unless they become f32, InternalError if `out` has another size.
  void read(std::string_view name, std::span<float> out) const;

  // Includes "format" and "danlu.xxh3".
  const Metadata& metadata() const { return metadata_; }
  // Files of other programs have none. One that is there has been verified.
  bool has_checksum() const;

 private:
  struct Entry {
    const StoredType* type = nullptr;
    Shape shape;
    uint64_t begin = 0, end = 0;  // in data()
  };

  [[noreturn]] void fail(std::string_view what) const;
  [[noreturn]] void fail(std::string_view tensor, std::string_view what) const;
  const Entry& entry(std::string_view name) const;
  std::span<const std::byte> data() const { return file_->bytes().subspan(data_start_); }
  void parse_header(std::string_view header);
  void check_layout();
  void verify_checksum() const;

  fs::path path_;
  std::shared_ptr<const MappedFile> file_;
  size_t data_start_ = 0;
  std::map<std::string, Entry, std::less<>> entries_;
  std::vector<std::string> names_;
  Metadata metadata_;
};

}  // namespace danlu::formats
