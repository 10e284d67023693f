# The shared library shows its public names and nothing else: no internal namespace, no template of
# the standard library, nothing of CAF.
cmake_minimum_required(VERSION 3.22)
execute_process(COMMAND ${NM} -D --defined-only --demangle --format=posix ${LIBDIR}/libtroupe.so
  OUTPUT_VARIABLE told COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE ";" "," told "${told}")
string(REGEX MATCHALL "[^\n]+" names "${told}")
list(LENGTH names count)
if(count LESS 40)
  message(FATAL_ERROR "only ${count} names are exported")
endif()
foreach(name IN LISTS names)
  if(NOT name MATCHES "^((typeinfo|typeinfo name|vtable) for )?troupe::"
      OR name MATCHES "^[^(]*troupe::(core|graph_json|messages|storage|actors|node)::|::impl::")
    message(FATAL_ERROR "exported: ${name}")
  endif()
endforeach()

# Its name tells which programs fit.
execute_process(COMMAND readelf -d ${LIBDIR}/libtroupe.so OUTPUT_VARIABLE told
  COMMAND_ERROR_IS_FATAL ANY)
if(NOT told MATCHES "SONAME[^\n]*libtroupe\\.so\\.[0-9]+\\.[0-9]+\\]")
  message(FATAL_ERROR "no versioned SONAME")
endif()
