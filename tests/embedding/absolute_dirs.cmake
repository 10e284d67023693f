# Distributions may name the directories of a package as absolute paths: troupe.pc has them as they are.
cmake_minimum_required(VERSION 3.22)
file(REMOVE_RECURSE ${WORK})
execute_process(COMMAND ${CMAKE_COMMAND} -S ${ROOT} -B ${WORK} -DCMAKE_CXX_COMPILER=${CXX}
  -DCMAKE_INSTALL_PREFIX=/usr -DCMAKE_INSTALL_LIBDIR=/opt/troupe/lib
  -DCMAKE_INSTALL_INCLUDEDIR=/opt/troupe/include OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
file(READ ${WORK}/troupe.pc text)
file(REMOVE_RECURSE ${WORK})
foreach(line IN ITEMS "\nlibdir=/opt/troupe/lib\n" "\nincludedir=/opt/troupe/include\n")
  if(NOT text MATCHES ${line})
    message(FATAL_ERROR "troupe.pc has no ${line}: ${text}")
  endif()
endforeach()
