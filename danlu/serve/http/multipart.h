// multipart/form-data (RFC 7578): the files and fields of an HTML form.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace danlu::serve {

struct FormPart {
  std::string name;
  std::string filename;  // empty for a plain field
  std::string_view content;
};

// The parts of a body; their contents point into `body`. Empty if the type names no boundary or the body does not
// follow it. Takes time linear in the body, whatever is in it.
std::optional<std::vector<FormPart>> parse_multipart(std::string_view content_type, std::string_view body);

}  // namespace danlu::serve
