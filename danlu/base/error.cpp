#include "danlu/base/error.h"

namespace danlu {

static std::string compose(std::string_view where, std::string_view message) {
  std::string text;
  text.reserve(where.size() + message.size() + 3);
  text.append("[").append(where).append("] ").append(message);
  return text;
}

Error::Error(std::string_view where, std::string_view message)
    : std::runtime_error(compose(where, message)), where_(where), message_(message) {}

}  // namespace danlu
