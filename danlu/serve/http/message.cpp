#include "danlu/serve/http/message.h"

#include <cctype>

namespace danlu::serve {

std::string media_type(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  std::string type;
  for (const unsigned char c : content_type) {
    if (!std::isspace(c)) type += static_cast<char>(std::tolower(c));
  }
  return type;
}

}  // namespace danlu::serve
