# Compiler switches shared by every target of ours. Third-party headers are included as SYSTEM, so they stay quiet.
option(VIGIA_FUZZ "Build the libFuzzer targets (clang only)" OFF)
option(VIGIA_BENCH "Build the benchmarks" OFF)
option(VIGIA_TESTS "Build the unit tests and replay the fuzz corpora" ON)
set(VIGIA_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them: address,undefined or thread")

add_library(vigia_options INTERFACE)
target_compile_options(vigia_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast -Werror
  -fno-omit-frame-pointer)
target_include_directories(vigia_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(vigia_options INTERFACE VIGIA_VERSION="${PROJECT_VERSION}")

if(VIGIA_FUZZ)
  # The libraries too: what is not instrumented gives the fuzzer nothing to follow.
  target_compile_options(vigia_options INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(vigia_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(VIGIA_SANITIZE)
  target_compile_options(vigia_options INTERFACE -fsanitize=${VIGIA_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(vigia_options INTERFACE -fsanitize=${VIGIA_SANITIZE})
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 at -O2 suspects empty std::optional and std::variant values of being read, those that are moved through
  # tl::expected too; the sanitizers of the preset dev find the real ones.
  target_compile_options(vigia_options INTERFACE -Wno-maybe-uninitialized)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # libstdc++ 12's own stable_sort uses what clang calls deprecated.
  target_compile_options(vigia_options INTERFACE -Wthread-safety -Wno-deprecated-declarations)
endif()

find_program(VIGIA_CCACHE ccache)
if(VIGIA_CCACHE)
  # base_dir and no hash_dir: checkouts in different folders share what they compiled.
  cmake_path(GET CMAKE_SOURCE_DIR PARENT_PATH vigia_parent)
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${vigia_parent} CCACHE_NOHASHDIR=1 ${VIGIA_CCACHE})
endif()
find_program(VIGIA_MOLD mold)
if(VIGIA_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
