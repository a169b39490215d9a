# vigia_library(NAME base SOURCES … [TESTS …] [FUZZ …] [BENCH …] [DEPENDS …] [PRIVATE_DEPENDS …] [TEST_DEPENDS …])
#
# One library with what belongs to it: vigia_<NAME>, its test program vigia_<NAME>_test (GoogleTest, every case a
# ctest), one fuzz target for each x_fuzz.cpp (preset fuzz; elsewhere a ctest replays the seeds in tests/golden/fuzz/x),
# and the benchmark vigia_<NAME>_bench (preset release).
function(vigia_library)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;TESTS;FUZZ;BENCH;DEPENDS;PRIVATE_DEPENDS;TEST_DEPENDS" ${ARGN})
  set(target vigia_${ARG_NAME})
  if(ARG_SOURCES)
    add_library(${target} STATIC ${ARG_SOURCES})
    target_link_libraries(${target} PUBLIC ${ARG_DEPENDS} PRIVATE vigia_options ${ARG_PRIVATE_DEPENDS})
    target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR})
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE ${ARG_DEPENDS})
    target_include_directories(${target} INTERFACE ${CMAKE_SOURCE_DIR})
  endif()
  if(ARG_TESTS AND VIGIA_TESTS)
    add_executable(${target}_test ${ARG_TESTS})
    target_link_libraries(${target}_test PRIVATE
      vigia_options ${target} ${ARG_PRIVATE_DEPENDS} ${ARG_TEST_DEPENDS} GTest::gmock GTest::gtest_main)
    # Tests run in the root of the checkout: golden files are tests/golden/….
    gtest_discover_tests(${target}_test DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
      WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} PROPERTIES TIMEOUT 120)
  endif()
  foreach(source IN LISTS ARG_FUZZ)
    vigia_fuzz_target(${target} ${source})
  endforeach()
  if(ARG_BENCH AND VIGIA_BENCH)
    find_package(benchmark REQUIRED)
    add_executable(${target}_bench ${ARG_BENCH})
    target_link_libraries(${target}_bench PRIVATE
      vigia_options ${target} ${ARG_PRIVATE_DEPENDS} benchmark::benchmark_main)
  endif()
endfunction()

# One x_fuzz.cpp, which defines LLVMFuzzerTestOneInput. With VIGIA_FUZZ it is a libFuzzer program; otherwise a small
# main (cmake/fuzz_replay.cpp) runs every file of tests/golden/fuzz/<x> through it once, under the sanitizers.
function(vigia_fuzz_target library source)
  if(NOT VIGIA_TESTS AND NOT VIGIA_FUZZ)
    return()
  endif()
  cmake_path(GET source STEM name)
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE vigia_options ${library})
  string(REGEX REPLACE "_fuzz$" "" corpus ${name})
  if(VIGIA_FUZZ)
    target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(${name} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/fuzz_replay.cpp)
    add_test(NAME fuzz_replay.${corpus} COMMAND ${name} ${CMAKE_SOURCE_DIR}/tests/golden/fuzz/${corpus})
    set_tests_properties(fuzz_replay.${corpus} PROPERTIES TIMEOUT 120)
  endif()
endfunction()

# vigia_program(NAME agent SOURCES main.cpp DEPENDS …): the binary vigia-<NAME> in <build>/bin.
function(vigia_program)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;DEPENDS" ${ARGN})
  add_executable(vigia-${ARG_NAME} ${ARG_SOURCES})
  target_link_libraries(vigia-${ARG_NAME} PRIVATE vigia_options ${ARG_DEPENDS})
endfunction()
