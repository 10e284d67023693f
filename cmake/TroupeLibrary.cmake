# The library as programs link it: what the folders below node/ compile, once, as a shared and as
# a static library. Inside the tree tests link the folders, examples Troupe::troupe.
foreach(folder IN ITEMS core graph_json storage actors)
  list(APPEND objects $<TARGET_OBJECTS:troupe_${folder}>)
endforeach()
add_library(troupe_shared SHARED ${objects})
add_library(troupe_static STATIC ${objects})

foreach(form IN ITEMS shared static)
  target_include_directories(troupe_${form} INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(troupe_${form} INTERFACE cxx_std_20)
  target_link_libraries(troupe_${form} PRIVATE
    CAF::core OpenSSL::Crypto PkgConfig::LMDB Threads::Threads)
  set_target_properties(troupe_${form} PROPERTIES
    OUTPUT_NAME troupe
    EXPORT_NAME troupe
    LINKER_LANGUAGE CXX
    ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
endforeach()

# Before version 1 a minor version may change the interface: it is in the name of the library.
set(map ${CMAKE_CURRENT_LIST_DIR}/libtroupe.map)
set_target_properties(troupe_shared PROPERTIES
  VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
  LINK_DEPENDS ${map})
target_link_options(troupe_shared PRIVATE -Wl,--version-script=${map})
if(NOT TROUPE_SANITIZE)
  target_link_options(troupe_shared PRIVATE -Wl,-z,defs) # A sanitizer's names are the program's.
endif()
add_dependencies(troupe_shared troupe-jq)

add_library(Troupe::troupe ALIAS troupe_shared)

# For hosts that use CAF themselves: troupe/caf.hpp.
add_library(troupe_caf INTERFACE)
target_link_libraries(troupe_caf INTERFACE Troupe::troupe CAF::core)
add_library(Troupe::caf ALIAS troupe_caf)
