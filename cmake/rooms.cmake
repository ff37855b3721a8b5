# One static library a room, found by glob so that no source and no test is ever lost from a hand-kept list.

add_library(danlu INTERFACE)
add_library(danlu::danlu ALIAS danlu)
set_property(GLOBAL PROPERTY danlu_rooms "")

# danlu_room(PATH ROOMS lower-room... LIBRARIES third-party... WITHOUT source...)
#   library  danlu_PATH from danlu/PATH/**/*.cpp (a slash in PATH becomes an underscore), less those of WITHOUT
#   tests    test_PATH from the *_test.cpp beside them
# A folder `cases` holds what tests and benchmarks share; it is no part of the library (see danlu_op_cases below).
function(danlu_room path)
  cmake_parse_arguments(ARG "" "" "ROOMS;LIBRARIES;WITHOUT" ${ARGN})
  string(REPLACE "/" "_" name ${path})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/danlu/${path}/*.cpp)
  list(TRANSFORM ARG_WITHOUT PREPEND ${PROJECT_SOURCE_DIR}/danlu/${path}/)
  list(REMOVE_ITEM sources ${ARG_WITHOUT})
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_(test|bench)\\.cpp$|/main\\.cpp$|/cases/")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  if(NOT sources)
    message(FATAL_ERROR "danlu: room ${path} has no sources")
  endif()

  add_library(danlu_${name} STATIC ${sources})
  target_include_directories(danlu_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(danlu_${name} PUBLIC cxx_std_20)
  target_link_libraries(danlu_${name} PRIVATE $<BUILD_INTERFACE:danlu_compile_options>)
  danlu_use_precompiled(danlu_${name} danlu_headers)
  foreach(room ${ARG_ROOMS})
    string(REPLACE "/" "_" room ${room})
    target_link_libraries(danlu_${name} PUBLIC danlu_${room})
  endforeach()
  # Public: base/json.h shows nlohmann's header and base/threads.h needs OpenMP; the rest is a link-time matter.
  target_link_libraries(danlu_${name} PUBLIC ${ARG_LIBRARIES})
  if(path STREQUAL "engine/kernels")
    # Instruction sets that our loops are compiled for: scalar, SSE4, AVX2, AVX-512.
    target_compile_definitions(danlu_${name} PRIVATE HWY_DISABLED_TARGETS=HWY_SSSE3)
  endif()
  target_link_libraries(danlu INTERFACE danlu_${name})
  set_property(GLOBAL APPEND PROPERTY danlu_rooms danlu_${name})

  if(DANLU_BUILD_TESTS AND tests)
    set_property(GLOBAL APPEND PROPERTY danlu_test_rooms ${name})
    set_property(GLOBAL PROPERTY danlu_tests_${name} "${tests}")
  endif()
endfunction()

# The table of operation cases, for test_engine_ops and `danlu bench`; no part of the library that is installed.
function(danlu_op_cases)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/danlu/engine/ops/cases/*.cpp)
  add_library(danlu_op_cases STATIC ${sources})
  target_link_libraries(danlu_op_cases PUBLIC danlu_engine_ops PRIVATE danlu_compile_options)
  danlu_use_precompiled(danlu_op_cases danlu_headers)
  target_link_libraries(danlu_app PRIVATE $<BUILD_INTERFACE:danlu_op_cases>)
endfunction()

function(danlu_program)
  configure_file(${PROJECT_SOURCE_DIR}/danlu/base/version.cpp.in ${PROJECT_BINARY_DIR}/version.cpp @ONLY)
  target_sources(danlu_base PRIVATE ${PROJECT_BINARY_DIR}/version.cpp)
  add_executable(danlu_program danlu/app/cli/main.cpp)
  set_target_properties(danlu_program PROPERTIES OUTPUT_NAME danlu RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
  target_link_libraries(danlu_program PRIVATE danlu_app danlu_compile_options)
endfunction()

function(danlu_install)
  include(CMakePackageConfigHelpers)
  get_property(rooms GLOBAL PROPERTY danlu_rooms)
  install(TARGETS danlu ${rooms} EXPORT danlu_targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(TARGETS danlu_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(DIRECTORY danlu DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h" PATTERN "*.def"
          PATTERN "testing.h" EXCLUDE PATTERN "cases" EXCLUDE PATTERN "reference" EXCLUDE)
  set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/danlu)
  install(EXPORT danlu_targets NAMESPACE danlu:: DESTINATION ${config_dir})
  write_basic_package_version_file(${PROJECT_BINARY_DIR}/danluConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  install(FILES cmake/danluConfig.cmake cmake/dependencies.cmake ${PROJECT_BINARY_DIR}/danluConfigVersion.cmake
          DESTINATION ${config_dir})
endfunction()
