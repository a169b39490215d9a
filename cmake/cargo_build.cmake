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
# All there is but cargo's own folder: build scripts and settings change what is made, too.
file(GLOB_RECURSE sources RELATIVE ${FOLDER} ${FOLDER}/*)
list(FILTER sources EXCLUDE REGEX "^target/")
list(SORT sources)
foreach(source IN LISTS sources)
  file(SHA256 ${FOLDER}/${source} hash)
  string(APPEND key "${source} ${hash}\n")
endforeach()
string(SHA256 key "${key}")
set(kept ${cache}/made/${key}/lib${LIBRARY}.a)

# What was kept may have been damaged since.
function(check_kept result)
  set(${result} FALSE PARENT_SCOPE)
  if(EXISTS ${kept} AND EXISTS ${kept}.sha256)
    file(SHA256 ${kept} hash)
    file(READ ${kept}.sha256 wanted)
    if(hash STREQUAL wanted)
      set(${result} TRUE PARENT_SCOPE)
    endif()
  endif()
endfunction()

check_kept(is_kept)
if(NOT is_kept)
  # Checkouts that build at the same time wait for each other, and the second one finds what the first one made.
  file(MAKE_DIRECTORY ${cache})
  file(LOCK ${cache}/made.lock TIMEOUT 1800)
  check_kept(is_kept)
  if(NOT is_kept)
    # What is kept has passed its tests: nobody asks again for them.
    foreach(work IN ITEMS build test)
      execute_process(
        COMMAND ${CMAKE_COMMAND} -E env CARGO_TARGET_DIR=${cache}/target RUSTC=${RUSTC}
          ${CARGO} ${work} --quiet --release --locked --manifest-path ${FOLDER}/Cargo.toml
        COMMAND_ERROR_IS_FATAL ANY)
    endforeach()
    file(REMOVE_RECURSE ${cache}/made/${key}.new ${cache}/made/${key})
    file(COPY ${cache}/target/release/lib${LIBRARY}.a DESTINATION ${cache}/made/${key}.new)
    file(SHA256 ${cache}/made/${key}.new/lib${LIBRARY}.a hash)
    file(WRITE ${cache}/made/${key}.new/lib${LIBRARY}.a.sha256 ${hash})
    file(RENAME ${cache}/made/${key}.new ${cache}/made/${key})
  endif()
  file(LOCK ${cache}/made.lock RELEASE)
endif()
get_filename_component(place ${MADE} DIRECTORY)
file(COPY ${kept} DESTINATION ${place})
file(TOUCH ${MADE})
