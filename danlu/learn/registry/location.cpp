#include "danlu/learn/registry/location.h"

#include <algorithm>
#include <vector>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::registry {
namespace {

constexpr const char* kWhere = "learn.registry";
constexpr std::string_view kHidden = "***";

// As written: between the first colon of the part before the host and the last @, and after password= among the options.
std::vector<std::string> passwords_of(const std::string& url) {
  std::vector<std::string> found;
  const size_t begin = url.find("://") + 3, query = std::min(url.find('?', begin), url.size());
  const size_t at = url.rfind('@');
  if (at != std::string::npos && at > begin) {
    const size_t colon = url.find(':', begin);
    if (colon < at) found.push_back(url.substr(colon + 1, at - colon - 1));
  }
  for (size_t key = url.find("password=", query); key != std::string::npos; key = url.find("password=", key + 1)) {
    const size_t value = key + std::string("password=").size();
    found.push_back(url.substr(value, std::min(url.find('&', value), url.size()) - value));
  }
  std::erase(found, "");
  return found;
}

}  // namespace

Location::Location(std::string text) : text_(std::move(text)) {
  is_postgresql_ = text_.starts_with("postgresql://") || text_.starts_with("postgres://");
  const size_t scheme = text_.find("://");
  if (scheme != std::string::npos && !is_postgresql_) {
    throw ConfigError(kWhere, fmt::format("got a registry of {}://; expected the path of a file, or postgresql://USER@HOST/DATABASE",
                                          text_.substr(0, scheme)));
  }
}

std::string Location::without_password(std::string text) const {
  if (!is_postgresql_) return text;
  // Wherever it stands: a password that is a word besides hides that word too.
  for (const std::string& secret : passwords_of(text_)) {
    for (size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at + kHidden.size())) {
      text.replace(at, secret.size(), kHidden);
    }
  }
  return text;
}

}  // namespace danlu::registry
