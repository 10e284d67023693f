# What `cmake --install` puts where. `find_package(Troupe)` and `pkg-config troupe` find it.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Troupe)
set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(TARGETS troupe RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS troupe-jq RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/troupe)
foreach(form IN ITEMS shared static)
  install(TARGETS troupe_${form} EXPORT troupe_${form}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT troupe_${form} NAMESPACE Troupe:: FILE Troupe-${form}.cmake
    DESTINATION ${package_dir})
endforeach()
install(DIRECTORY include/troupe DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

configure_package_config_file(cmake/TroupeConfig.cmake.in TroupeConfig.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(TroupeConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/TroupeConfig.cmake
  ${PROJECT_BINARY_DIR}/TroupeConfigVersion.cmake cmake/FindCAF.cmake
  DESTINATION ${package_dir})

# From where the files are, so that all may be moved; a directory that was given as an absolute path
# stands as it is.
cmake_path(ABSOLUTE_PATH pkgconfig_dir BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX} OUTPUT_VARIABLE pc_dir)
file(RELATIVE_PATH pc_prefix ${pc_dir} ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")
set(pc_libdir "\${prefix}")
set(pc_includedir "\${prefix}")
cmake_path(APPEND pc_libdir ${CMAKE_INSTALL_LIBDIR})
cmake_path(APPEND pc_includedir ${CMAKE_INSTALL_INCLUDEDIR})
foreach(name IN ITEMS troupe troupe-caf)
  configure_file(cmake/${name}.pc.in ${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${pkgconfig_dir})
endforeach()

install(FILES LICENSE README.md CHANGELOG.md CONTRIBUTING.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
# With all that the pages lead to.
install(DIRECTORY docs configs examples DESTINATION ${CMAKE_INSTALL_DOCDIR} USE_SOURCE_PERMISSIONS)
