option(TROUPE_TESTS "Build the tests and the examples" ON)
option(TROUPE_BENCH "Build the benchmarks" ON)
option(TROUPE_FUZZ "Build the fuzzers with libFuzzer (needs clang)" OFF)
option(TROUPE_WERROR "Take warnings for errors" ON)
option(TROUPE_JEMALLOC "Link the program `troupe` with jemalloc, if it is there" ON)
set(TROUPE_SANITIZE "" CACHE STRING "Sanitizers: empty, `address` (with undefined) or `thread`")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  # Relative to the tree: clones of it share what was compiled. With a precompiled header, it
  # wants to be told that macros and times are not what makes two of them differ.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}
      CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
endif()

add_compile_options(-Wall -Wextra)
if(TROUPE_WERROR)
  add_compile_options(-Werror)
endif()
if(CMAKE_BUILD_TYPE STREQUAL Release)
  # Plain -O2, with the assertions off: an invariant is tested in the debug and sanitizer builds.
  set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
endif()

# Debian's CAF is not instrumented: -fno-sanitize=null hides its empty tuples, nothing of ours.
# `vptr`, `object-size` and `alignment` double the time to compile; they are for code that casts
# what it does not own, of which there is none here.
# With sanitizers g++ 12 takes members of <regex> (in Catch2, too) and temporary strings for
# uninitialized.
if(TROUPE_SANITIZE STREQUAL address)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize=null,vptr,object-size,alignment
                      -fno-sanitize-recover=all -fno-omit-frame-pointer
                      -Wno-maybe-uninitialized)
  add_link_options(-fsanitize=address,undefined)
elseif(TROUPE_SANITIZE STREQUAL thread)
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer -Wno-maybe-uninitialized)
  add_link_options(-fsanitize=thread)
elseif(TROUPE_SANITIZE)
  message(FATAL_ERROR "TROUPE_SANITIZE is empty, `address` or `thread`, not `${TROUPE_SANITIZE}`")
endif()

if(TROUPE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

# One target per folder: its sources are the folder's, its link list is the arrow.
function(troupe_folder name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(troupe_${name} STATIC ${ARG_SOURCES})
  target_include_directories(troupe_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(troupe_${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
  # The shared library is made of the same objects: it shows only what TROUPE_EXPORT marks.
  set_target_properties(troupe_${name} PROPERTIES
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
endfunction()
