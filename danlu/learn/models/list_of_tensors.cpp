#include "danlu/learn/models/list_of_tensors.h"

#include <algorithm>

#include "danlu/base/format.h"
#include "danlu/base/json.h"

namespace danlu::models {

std::string list_of_tensors(const char* what, const std::vector<std::string>& names) {
  constexpr size_t kShown = 5;
  std::string text = names.size() == 1 ? fmt::format("{} tensor ", what) : fmt::format("{} {} tensors: ", names.size(), what);
  for (size_t i = 0; i < std::min(names.size(), kShown); ++i) text += (i == 0 ? "" : ", ") + to_line(names[i]);
  return names.size() > kShown ? text + ", ..." : text;
}

}  // namespace danlu::models
