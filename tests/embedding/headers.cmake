# Compiles each public header alone. But for troupe/caf.hpp none of them brings in anything of CAF,
# LMDB or a JSON library, through whatever it includes.
cmake_minimum_required(VERSION 3.22)
file(MAKE_DIRECTORY ${WORK})
separate_arguments(flags UNIX_COMMAND "${FLAGS}")
file(GLOB headers RELATIVE ${PREFIX}/include ${PREFIX}/include/troupe/*.hpp)
list(LENGTH headers count)
if(count LESS 10)
  message(FATAL_ERROR "only ${count} public headers: ${headers}")
endif()
foreach(header IN LISTS headers)
  file(WRITE ${WORK}/alone.cpp "#include <${header}>\n#include <${header}>\n")
  execute_process(COMMAND ${CXX} -std=c++20 ${flags} -Wpedantic -fsyntax-only -I${PREFIX}/include
    -MD -MF ${WORK}/alone.d ${WORK}/alone.cpp COMMAND_ERROR_IS_FATAL ANY)
  file(READ ${WORK}/alone.d read)
  if(NOT header STREQUAL "troupe/caf.hpp" AND read MATCHES "[^ ]*(/caf/|lmdb|nlohmann)[^ ]*")
    message(FATAL_ERROR "${header} includes ${CMAKE_MATCH_0}")
  endif()
endforeach()
