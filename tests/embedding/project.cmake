# Configures, builds and runs the project in SOURCE against the package in PREFIX: its program has
# to print EXPECTED at the end.
cmake_minimum_required(VERSION 3.22)
file(REMOVE_RECURSE ${WORK})
execute_process(COMMAND ${CMAKE_COMMAND} -G Ninja -S ${SOURCE} -B ${WORK}
  -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_CXX_FLAGS=${FLAGS} -DCMAKE_PREFIX_PATH=${PREFIX}
  -DBUILD_SHARED_LIBS=${SHARED} -DCMAKE_FIND_PACKAGE_NO_PACKAGE_REGISTRY=ON
  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${WORK}
  OUTPUT_VARIABLE told ERROR_VARIABLE told RESULT_VARIABLE code)
if(code)
  message(FATAL_ERROR "does not build: ${told}")
endif()
file(GLOB program ${WORK}/*_host)
execute_process(COMMAND ${program} WORKING_DIRECTORY ${WORK}
  OUTPUT_VARIABLE told ERROR_VARIABLE wrong RESULT_VARIABLE code)
string(FIND "${told}" "${EXPECTED}" at)
if(code OR at EQUAL -1)
  message(FATAL_ERROR "exit ${code}\n${told}${wrong}\ndoes not print: ${EXPECTED}")
endif()

# The form that was asked for is the one that is linked.
execute_process(COMMAND ldd ${program} OUTPUT_VARIABLE linked COMMAND_ERROR_IS_FATAL ANY)
string(FIND "${linked}" "libtroupe.so" at)
if((SHARED AND at EQUAL -1) OR (NOT SHARED AND NOT at EQUAL -1))
  message(FATAL_ERROR "SHARED is ${SHARED}, but linked are:\n${linked}")
endif()
