#include "danlu/infer/bundle_directory.h"

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::infer {
namespace {

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

}  // namespace

fs::path bundle_directory(const fs::path& given) { return is_there(given / "bundle" / kConfigFile) ? given / "bundle" : given; }

bool has_format(const fs::path& given, const BundleFormat& format) {
  const fs::path path = bundle_directory(given) / kConfigFile;
  if (!is_there(path)) return false;
  const Json config = read_json(path);
  return config.is_object() && config.value("format", Json()) == format.name;
}

void check_format(const Json& config, const BundleFormat& format, const std::string& source, const char* where) {
  const Json& name = config.at("format");
  if (name != format.name) throw DataError(where, fmt::format("{}: not the configuration of {}: format: got {}; expected \"{}\"", source, format.what, to_line(name), format.name));
  const auto version = config.at("format_version").get<int64_t>();
  if (version > format.version) throw DataError(where, fmt::format("{}: format_version: got {}; this program reads up to {}: take a newer danlu", source, version, format.version));
}

Json format_fields(const BundleFormat& format) { return {{"format", format.name}, {"format_version", format.version}}; }

}  // namespace danlu::infer
