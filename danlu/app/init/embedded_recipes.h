// The files of recipes/, as they were when the program was built (cmake/embed_recipes.cmake).
#pragma once

#include <span>
#include <string_view>

namespace danlu::app {

struct EmbeddedRecipe {
  std::string_view name;  // of the file, without .yaml
  std::string_view text;
};

std::span<const EmbeddedRecipe> embedded_recipes();

}  // namespace danlu::app
