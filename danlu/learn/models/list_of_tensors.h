// Tensors of a file that a message names.
#pragma once

#include <string>
#include <vector>

namespace danlu::models {

// missing tensor "a"   or   7 missing tensors: "a", "b", "c", "d", "e", ...
std::string list_of_tensors(const char* what, const std::vector<std::string>& names);

}  // namespace danlu::models
