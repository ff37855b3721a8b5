#include "danlu/formats/safetensors_folder.h"

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/json.h"
#include "danlu/base/options.h"

namespace danlu::formats {
namespace {

constexpr const char* kWhere = "formats.safetensors";
constexpr const char* kFile = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";
constexpr const char* kExtension = ".safetensors";
constexpr int64_t kMaxIndexBytes = 64 << 20;

// A file of the directory itself: nothing that leads elsewhere.
bool is_plain_name(const std::string& name) {
  return name.ends_with(kExtension) && name.size() > std::string_view(kExtension).size() &&
         name.find_first_of(std::string_view("/\\\0", 3)) == name.npos && name[0] != '.';
}

}  // namespace

SafetensorsFolder::SafetensorsFolder(const fs::path& directory) {
  source_ = (directory / kFile).string();
  std::error_code unknown;  // a file that is there and cannot be opened says so itself
  if (fs::exists(directory / kFile, unknown) || unknown) {
    files_.emplace_back(directory / kFile);
    names_ = files_[0].names();
    for (const std::string& name : names_) file_of_[name] = 0;
  } else if (fs::exists(directory / kIndex, unknown) || unknown) {
    open_shards(directory / kIndex);
  } else {
    throw FileError(kWhere, fmt::format("{}: expected {} or {} there", directory.string(), kFile, kIndex));
  }
}

void SafetensorsFolder::open_shards(const fs::path& index) {
  source_ = index.string();
  const auto fail = [&](const std::string& message) { throw DataError(kWhere, fmt::format("{}: {}", source_, message)); };
  const Json json = read_json(index, kMaxIndexBytes);
  if (!json.is_object() || !json.contains("weight_map") || !json["weight_map"].is_object()) {
    fail("weight_map: expected an object of tensor names and file names");
  }
  std::map<std::string, size_t> shards;
  for (const auto& [name, file] : json["weight_map"].items()) {
    if (!file.is_string() || !is_plain_name(file.get<std::string>())) {
      fail(fmt::format("weight_map: tensor {}: got {}; expected the name of a .safetensors file beside the index", to_line(name), to_line(file)));
    }
    const auto [shard, fresh] = shards.emplace(file.get<std::string>(), shards.size());
    if (fresh) files_.emplace_back(index.parent_path() / shard->first);
    if (!files_[shard->second].contains(name)) fail(fmt::format("weight_map: tensor {} is not in {}", to_line(name), shard->first));
    file_of_[name] = shard->second;
  }
  for (const auto& [file, at] : shards) {
    for (const std::string& name : files_[at].names()) {
      const auto listed = file_of_.find(name);
      if (listed == file_of_.end()) fail(fmt::format("{} has tensor {}, which weight_map does not list", file, to_line(name)));
      if (listed->second != at) fail(fmt::format("{} has tensor {}, which weight_map lists for another file", file, to_line(name)));
    }
  }
  for (const SafetensorsFile& file : files_) names_.insert(names_.end(), file.names().begin(), file.names().end());
}

const SafetensorsFile& SafetensorsFolder::file_of(std::string_view name) const {
  const auto it = file_of_.find(name);
  if (it == file_of_.end()) {
    throw DataError(kWhere, fmt::format("{}: has no tensor \"{}\"{}", source_, name, did_you_mean(name, names_)));
  }
  return files_[it->second];
}

}  // namespace danlu::formats
