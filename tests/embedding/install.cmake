# Installs the build into PREFIX, as `cmake --install` does, and looks for what has to be there.
cmake_minimum_required(VERSION 3.22)
file(REMOVE_RECURSE ${PREFIX})
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${PREFIX}
  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
foreach(pattern IN ITEMS
    bin/troupe libexec/troupe/troupe-jq include/troupe/runtime.hpp include/troupe/caf.hpp
    libtroupe.so libtroupe.so.*.*.* libtroupe.a TroupeConfig.cmake TroupeConfigVersion.cmake
    troupe.pc troupe-caf.pc LICENSE README.md embedding.md)
  get_filename_component(folder ${pattern} DIRECTORY)
  get_filename_component(name ${pattern} NAME)
  file(GLOB_RECURSE found ${PREFIX}/${folder}/${name})
  if(NOT found)
    message(FATAL_ERROR "not installed: ${pattern}")
  endif()
endforeach()

# Public headers only.
file(GLOB_RECURSE headers RELATIVE ${PREFIX}/include ${PREFIX}/include/*)
list(FILTER headers EXCLUDE REGEX "^troupe/[a-z_]+\\.hpp$")
if(headers)
  message(FATAL_ERROR "no public headers: ${headers}")
endif()

# No page leads to what is not there. Brackets and semicolons would split lists.
file(GLOB_RECURSE pages ${PREFIX}/*.md)
foreach(page IN LISTS pages)
  file(READ ${page} text)
  string(REPLACE "](" "@@" text "${text}")
  string(REGEX REPLACE "[][;]" "," text "${text}")
  string(REGEX MATCHALL "@@[^)# ]+[)#]" links "${text}")
  get_filename_component(folder ${page} DIRECTORY)
  foreach(link IN LISTS links)
    string(REGEX REPLACE "^@@(.*).$" "\\1" link "${link}")
    if(NOT "${link}" MATCHES "^[a-z]+://" AND NOT EXISTS "${folder}/${link}")
      message(FATAL_ERROR "${page} leads to ${link}, which is not installed")
    endif()
  endforeach()
endforeach()
