# The driver of Cassandra is a Rust crate (shims/cassandra): what builds it, where it is asked for.
option(WITH_CASSANDRA "Build the driver of Cassandra (needs cargo and rustc)" OFF)
set(VIGIA_RUST_MIN 1.88)

# vigia_crate(NAME cassandra_shim FOLDER shims/cassandra LIBRARY vigia_cassandra DEPENDS …): the static library of a crate as
# the target vigia_<NAME>. It is kept outside of the checkout by what it was made of, as ccache does with objects, so that
# another checkout, or another preset, does not build it again (cmake/cargo_build.cmake).
function(vigia_crate)
  cmake_parse_arguments(ARG "" "NAME;FOLDER;LIBRARY" "DEPENDS" ${ARGN})
  find_program(VIGIA_CARGO cargo)
  find_program(VIGIA_RUSTC rustc)
  set(found "none")
  if(VIGIA_RUSTC)
    execute_process(COMMAND ${VIGIA_RUSTC} --version OUTPUT_VARIABLE said ERROR_QUIET)
    if(said MATCHES "rustc ([0-9.]+)")
      set(found ${CMAKE_MATCH_1})
    endif()
  endif()
  if(NOT VIGIA_CARGO OR found STREQUAL "none" OR found VERSION_LESS VIGIA_RUST_MIN)
    message(FATAL_ERROR "WITH_CASSANDRA needs cargo and rustc ${VIGIA_RUST_MIN} or newer (Debian: cargo-web); "
      "found: ${found}. Install them, or configure with -DWITH_CASSANDRA=OFF: then only Cassandra is missing.")
  endif()
  set(folder ${CMAKE_SOURCE_DIR}/${ARG_FOLDER})
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/src/*.rs)
  set(made ${CMAKE_BINARY_DIR}/crates/lib${ARG_LIBRARY}.a)
  add_custom_command(
    OUTPUT ${made}
    COMMAND ${CMAKE_COMMAND} -DCARGO=${VIGIA_CARGO} -DRUSTC=${VIGIA_RUSTC} -DFOLDER=${folder} -DLIBRARY=${ARG_LIBRARY} -DMADE=${made}
      -P ${CMAKE_SOURCE_DIR}/cmake/cargo_build.cmake
    DEPENDS ${sources} ${folder}/Cargo.toml ${folder}/Cargo.lock ${CMAKE_SOURCE_DIR}/cmake/cargo_build.cmake
    COMMENT "Crate ${ARG_FOLDER}" VERBATIM)
  add_custom_target(vigia_${ARG_NAME}_build DEPENDS ${made})
  add_library(vigia_${ARG_NAME} STATIC IMPORTED GLOBAL)
  set_target_properties(vigia_${ARG_NAME} PROPERTIES
    IMPORTED_LOCATION ${made} INTERFACE_LINK_LIBRARIES "${ARG_DEPENDS}")
  add_dependencies(vigia_${ARG_NAME} vigia_${ARG_NAME}_build)
endfunction()
