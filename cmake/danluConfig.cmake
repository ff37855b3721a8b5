# find_package(danlu) gives danlu::danlu, the whole library with what it links.
include(${CMAKE_CURRENT_LIST_DIR}/dependencies.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/danlu_targets.cmake)
