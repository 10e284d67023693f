# Builds and runs SOURCE by what pkg-config tells, with the shared and with the static library.
cmake_minimum_required(VERSION 3.22)
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
set(ENV{PKG_CONFIG_PATH} ${LIBDIR}/pkgconfig)
separate_arguments(flags UNIX_COMMAND "${FLAGS}")

function(ask_pkg_config to)
  execute_process(COMMAND pkg-config ${ARGN} OUTPUT_VARIABLE told COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(told UNIX_COMMAND "${told}")
  set(${to} ${told} PARENT_SCOPE)
endfunction()

ask_pkg_config(cflags --cflags troupe)
ask_pkg_config(shared --libs troupe)
ask_pkg_config(static --libs --static troupe)
ask_pkg_config(caf --libs troupe-caf)
list(TRANSFORM static REPLACE "^-ltroupe$" "-l:libtroupe.a")
if(NOT "-ltroupe" IN_LIST caf OR NOT "-lcaf_core" IN_LIST caf)
  message(FATAL_ERROR "troupe-caf gives ${caf}")
endif()

execute_process(COMMAND ${CXX} -std=c++20 ${flags} ${cflags} -c ${SOURCE} -o ${WORK}/main.o
  COMMAND_ERROR_IS_FATAL ANY)
foreach(form IN ITEMS shared static)
  execute_process(COMMAND ${CXX} ${flags} ${WORK}/main.o ${${form}} -Wl,-rpath,${LIBDIR}
    -o ${WORK}/${form} COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND ${WORK}/${form} ${WORK}/${form}-data OUTPUT_VARIABLE told
    COMMAND_ERROR_IS_FATAL ANY)
  if(NOT told MATCHES "end\n42\n$")
    message(FATAL_ERROR "${form} prints: ${told}")
  endif()
endforeach()
