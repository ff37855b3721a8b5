# Installs the build into a fresh prefix and builds and runs examples/ against it, as an outside project would.
# Run by ctest: cmake -DBUILD_DIR=... -DSOURCE_DIR=... -DWORK_DIR=... -DGENERATOR=... -DBUILD_TYPE=... -DCXX=... -P install_test.cmake

function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "${command}\nended with ${status}:\n${output}")
  endif()
endfunction()

file(REMOVE_RECURSE ${WORK_DIR})
run(${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${WORK_DIR}/prefix)

# A copy of the examples, so that nothing of the source tree is in reach.
file(COPY ${SOURCE_DIR}/examples/ DESTINATION ${WORK_DIR}/examples)
run(${CMAKE_COMMAND} -S ${WORK_DIR}/examples -B ${WORK_DIR}/build -G ${GENERATOR} -DCMAKE_BUILD_TYPE=${BUILD_TYPE}
    -DCMAKE_CXX_COMPILER=${CXX} "-DCMAKE_CXX_FLAGS=${CXX_FLAGS}" -DCMAKE_PREFIX_PATH=${WORK_DIR}/prefix)
run(${CMAKE_COMMAND} --build ${WORK_DIR}/build)

file(GLOB sources ${WORK_DIR}/examples/*.cpp)
foreach(source ${sources})
  cmake_path(GET source STEM example)
  run(${WORK_DIR}/build/${example})
endforeach()

# The installed program knows its own version.
run(${WORK_DIR}/prefix/bin/danlu --version)
file(REMOVE_RECURSE ${WORK_DIR})
