// Where the files of a bundle lie, and of which kind it is: what every kind of bundle has in common.
#pragma once

#include <cstdint>
#include <string>

#include "danlu/base/files.h"
#include "danlu/base/json.h"

namespace danlu::infer {

inline constexpr const char* kModelFile = "model.safetensors";
inline constexpr const char* kConfigFile = "config.json";
inline constexpr const char* kPreprocessFile = "preprocess.json";

// The bundle/ of a run directory, where there is one, else the directory itself.
fs::path bundle_directory(const fs::path& given);

// A kind of bundle, and the newest version of it that this program reads.
struct BundleFormat {
  const char* name;  // "format" of its config.json
  int64_t version;   // "format_version"
  const char* what;  // for messages: "a recommender"
};

// Is it such a bundle, or the run directory of one? Reads config.json alone; false where there is none.
bool has_format(const fs::path& given, const BundleFormat& format);

// Throws DataError naming `source` for the configuration of another kind, or of a newer version; nlohmann's exceptions for absent fields and
// ones of another type.
void check_format(const Json& config, const BundleFormat& format, const std::string& source, const char* where);
// The fields of a configuration for the file.
Json format_fields(const BundleFormat& format);

}  // namespace danlu::infer
