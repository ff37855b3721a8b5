#include "danlu/learn/registry/location.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::registry {
namespace {

constexpr const char* kWhere = "learn.registry";
constexpr std::string_view kHidden = "***";

// A registry that is meant to be a URL and is none, or one that the client library would divide in another way than we do, so that it might
// show a part of the password. Nothing of it is quoted.
void check_is_plain(const std::string& text, bool is_url) {
  const auto refuse = [](const char* what) { throw ConfigError(kWhere, fmt::format("got a registry {}", what)); };
  if (!is_url) {
    const bool looks_like_one = text.starts_with("postgres:") || text.starts_with("postgresql:") || text.starts_with("host=") || text.find("password=") != std::string::npos;
    if (looks_like_one) refuse("that is neither a path nor a URL; expected postgresql://USER@HOST/DATABASE");
    return;
  }
  const size_t begin = text.find("://") + 3, at = text.find('@', begin), slash = text.find('/', begin);
  if (at != std::string::npos && (at > slash || text.find('@', at + 1) != std::string::npos)) {
    refuse("whose user or password has a / or an @; write them as %2F and %40");
  }
  for (size_t percent = text.find('%', begin); percent != std::string::npos; percent = text.find('%', percent + 1)) {
    const auto is_hex = [&](size_t i) { return i < text.size() && std::isxdigit(static_cast<unsigned char>(text[i])) != 0; };
    if (!is_hex(percent + 1) || !is_hex(percent + 2)) refuse("with a % that stands for nothing; write it as %25");
  }
}

std::string decoded(const std::string& text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') result += text[i];
    else result += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16)), i += 2;
  }
  return result;
}

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
  const size_t written = found.size();
  for (size_t i = 0; i < written; ++i) {
    if (decoded(found[i]) != found[i]) found.push_back(decoded(found[i]));
  }
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
  check_is_plain(text_, is_postgresql_);
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
