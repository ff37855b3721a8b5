# Flags for every target of the project. No -march=native: kernels choose their instruction set at run time. No fast-math:
# only the two switches that let the compiler vectorise without changing a result.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

add_library(danlu_compile_options INTERFACE)
target_compile_options(danlu_compile_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Werror
  -fno-math-errno -fno-trapping-math)
set(danlu_gcc_12 OFF)  # or older: warnings that are not so, here and in precompile.cmake
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  set(danlu_gcc_12 ON)
endif()
if(danlu_gcc_12)
  # GCC 12 sees overlaps in "text" + std::string that are not there (its bug 105651).
  target_compile_options(danlu_compile_options INTERFACE -Wno-restrict -Wno-maybe-uninitialized)
endif()
# Tests wait for the compiler longer than for themselves; what they test is compiled as users have it.
add_library(danlu_test_options INTERFACE)
target_compile_options(danlu_test_options INTERFACE $<$<CONFIG:Release>:-O0>)
target_link_libraries(danlu_test_options INTERFACE danlu_compile_options)
if(DANLU_SANITIZE)
  target_compile_options(danlu_compile_options INTERFACE -fsanitize=${DANLU_SANITIZE} -fno-omit-frame-pointer -g1)
  target_link_options(danlu_compile_options INTERFACE -fsanitize=${DANLU_SANITIZE})
endif()

find_program(DANLU_CCACHE ccache)
mark_as_advanced(DANLU_CCACHE)
if(DANLU_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${DANLU_CCACHE})
endif()
