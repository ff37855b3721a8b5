#include "danlu/compress/target.h"

#include <charconv>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/options.h"

namespace danlu::compress {
namespace {

constexpr const char* kWhere = "compress";
constexpr int64_t kMostGroup = 64;

template <class Number>
bool read(std::string_view text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string Target::name() const {
  switch (kind) {
    case Kind::int8: return "int8";
    case Kind::sparse: return fmt::format("sparse-{:g}", share);
    case Kind::n_of_m: return fmt::format("{}-{}", n, m);
    case Kind::channels: return fmt::format("channels-{:g}", share);
    case Kind::q8: return "q8";
    case Kind::q4: return "q4";
  }
  return "";
}

Target parse_target(const std::string& text, const std::string& key) {
  if (text == "int8") return {};
  if (text == "q8") return {.kind = Target::Kind::q8};
  if (text == "q4") return {.kind = Target::Kind::q4};
  const size_t colon = text.find(':'), equals = text.find('=');
  Target target;
  if (colon != std::string::npos) {
    target.kind = Target::Kind::n_of_m;
    if (!read(std::string_view(text).substr(0, colon), target.n) || !read(std::string_view(text).substr(colon + 1), target.m) || target.n < 1 || target.m <= target.n ||
        target.m > kMostGroup) {
      throw ConfigError(kWhere, fmt::format("{}: got {}; expected N:M, so many kept of so many weights in a row, like 2:4", key, text));
    }
    target.share = 1 - static_cast<double>(target.n) / static_cast<double>(target.m);
    return target;
  }
  const std::string word = text.substr(0, equals);
  if (word != "sparse" && word != "channels") {
    throw ConfigError(kWhere, fmt::format("{}: got {}; expected int8, sparse=SHARE, N:M like 2:4, channels=SHARE, q8 or q4{}", key, text, did_you_mean(word, {"int8", "sparse", "channels", "q8", "q4"})));
  }
  target.kind = word == "sparse" ? Target::Kind::sparse : Target::Kind::channels;
  target.share = word == "sparse" ? 0.9 : 0.5;
  if (equals != std::string::npos && (!read(std::string_view(text).substr(equals + 1), target.share) || !(target.share > 0 && target.share < 1))) {
    throw ConfigError(kWhere, fmt::format("{}: got {}; expected a share between 0 and 1 to take away, like {}={}", key, text, word, word == "sparse" ? "0.9" : "0.5"));
  }
  return target;
}

}  // namespace danlu::compress
