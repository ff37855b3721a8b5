// The tensors of a directory as one set: those of model.safetensors, or of the shards that model.safetensors.index.json lists.
//
//   {"metadata": {...}, "weight_map": {"model.norm.weight": "model-00001-of-00002.safetensors", ...}}
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "danlu/formats/safetensors.h"

namespace danlu::formats {

class SafetensorsFolder {
 public:
  // Opens and checks every file. Index and shards must say the same: each tensor lies in the shard named for it and in no other.
  // Throws FileError if there is neither file or a shard is absent; DataError naming file and tensor.
  explicit SafetensorsFolder(const fs::path& directory);

  const std::vector<std::string>& names() const { return names_; }  // by file, in the order of the data
  bool contains(std::string_view name) const { return file_of_.contains(name); }
  // Throw DataError, naming the nearest, if there is no such tensor.
  const Shape& shape(std::string_view name) const { return file_of(name).shape(name); }
  const StoredType& stored_type(std::string_view name) const { return file_of(name).stored_type(name); }
  Tensor read(std::string_view name) const { return file_of(name).read(name); }
  void read(std::string_view name, std::span<float> out) const { file_of(name).read(name, out); }

  // What to call the source of a tensor in an error: the index, or the only file.
  const std::string& source() const { return source_; }

 private:
  void open_shards(const fs::path& index);
  const SafetensorsFile& file_of(std::string_view name) const;

  std::string source_;
  std::vector<SafetensorsFile> files_;
  std::map<std::string, size_t, std::less<>> file_of_;
  std::vector<std::string> names_;
};

}  // namespace danlu::formats
