# cmake -DCARGO=… -DRUSTC=… -DFOLDER=crate -DLIBRARY=name -DMADE=file -P cargo_build.cmake
#
# Puts the static library of a crate at MADE: the one that was made of the same files by the same compiler before, else a new
# one. Cargo's own folder would not do: it goes by the path of the checkout, and begins anew in each.
cmake_minimum_required(VERSION 3.25)

set(cache $ENV{XDG_CACHE_HOME})
if(NOT cache)
  set(cache $ENV{HOME}/.cache)
endif()
set(cache ${cache}/vigia/cargo)

execute_process(COMMAND ${RUSTC} -vV OUTPUT_VARIABLE key COMMAND_ERROR_IS_FATAL ANY)
file(GLOB sources RELATIVE ${FOLDER} ${FOLDER}/src/*.rs)
list(SORT sources)
foreach(source IN ITEMS Cargo.toml Cargo.lock LISTS sources)
  file(SHA256 ${FOLDER}/${source} hash)
  string(APPEND key "${source} ${hash}\n")
endforeach()
string(SHA256 key "${key}")
set(kept ${cache}/made/${key}/lib${LIBRARY}.a)

if(NOT EXISTS ${kept})
  # Checkouts that build at the same time wait for each other, and the second one finds what the first one made.
  file(MAKE_DIRECTORY ${cache})
  file(LOCK ${cache}/made.lock TIMEOUT 1800)
  if(NOT EXISTS ${kept})
    # What is kept has passed its tests: nobody asks again for them.
    foreach(work IN ITEMS build test)
      execute_process(
        COMMAND ${CMAKE_COMMAND} -E env CARGO_TARGET_DIR=${cache}/target RUSTC=${RUSTC}
          ${CARGO} ${work} --quiet --release --locked --manifest-path ${FOLDER}/Cargo.toml
        COMMAND_ERROR_IS_FATAL ANY)
    endforeach()
    file(COPY ${cache}/target/release/lib${LIBRARY}.a DESTINATION ${cache}/made/${key}.new)
    file(RENAME ${cache}/made/${key}.new ${cache}/made/${key})
  endif()
  file(LOCK ${cache}/made.lock RELEASE)
endif()
get_filename_component(place ${MADE} DIRECTORY)
file(COPY ${kept} DESTINATION ${place})
file(TOUCH ${MADE})
