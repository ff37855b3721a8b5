# The files of recipes/ as C++, for danlu/app/init/embedded_recipes.h. A recipe that changes is built in again.
function(danlu_embed_recipes target)
  file(GLOB recipes CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/recipes/*.yaml)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${recipes})
  set(list "")
  foreach(recipe ${recipes})
    get_filename_component(name ${recipe} NAME_WE)
    file(READ ${recipe} text)
    string(APPEND list "    {\"${name}\", R\"__yaml__(${text})__yaml__\"},\n")
  endforeach()
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/embedded_recipes.cpp @ONLY CONTENT [[
#include "danlu/app/init/embedded_recipes.h"

namespace danlu::app {

std::span<const EmbeddedRecipe> embedded_recipes() {
  static constexpr EmbeddedRecipe kRecipes[] = {
@list@  };
  return kRecipes;
}

}  // namespace danlu::app
]])
  target_sources(${target} PRIVATE ${PROJECT_BINARY_DIR}/embedded_recipes.cpp)
endfunction()
