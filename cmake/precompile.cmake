# Headers that most files include, read once for all of them: a fifth to a half of the time of a file. Not where ccache keeps the
# compiled files, which knows little of such headers; there every file shows that it includes what it uses.

# danlu_precompile(NAME LIBRARIES target... HEADERS header...)
function(danlu_precompile name)
  if(DANLU_CCACHE)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "LIBRARIES;HEADERS" ${ARGN})
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/${name}.cpp CONTENT "// Headers for other targets.\n")
  add_library(${name} OBJECT ${PROJECT_BINARY_DIR}/${name}.cpp)
  target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES})
  target_precompile_headers(${name} PRIVATE ${ARG_HEADERS})
endfunction()

# danlu_use_precompiled(TARGET NAME): nothing where NAME was left out; TARGET is compiled with the flags of NAME
function(danlu_use_precompiled target name)
  if(NOT TARGET ${name})
    return()
  endif()
  target_precompile_headers(${target} REUSE_FROM ${name})
  if(danlu_gcc_12)
    # GCC 12 sees overflows in a precompiled std::string that are not there; builds with ccache keep these warnings.
    target_compile_options(${target} PRIVATE -Wno-stringop-overflow -Wno-array-bounds)
  endif()
endfunction()

set(common_headers <algorithm> <array> <chrono> <cmath> <cstdint> <filesystem> <fstream> <functional> <map> <memory> <mutex> <numeric>
                   <optional> <random> <set> <span> <sstream> <string> <string_view> <thread> <unordered_map> <variant> <vector>
                   <fmt/format.h> <fmt/ranges.h> <nlohmann/json.hpp>)
set(common_libraries danlu_dep_fmt danlu_dep_json danlu_dep_openmp)
danlu_precompile(danlu_headers LIBRARIES ${common_libraries} danlu_compile_options HEADERS ${common_headers})
