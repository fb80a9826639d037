# The library for other programs: headers, find_package(pyvocsep) and a pkg-config file.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/pyvocsep)

install(TARGETS pyvocsep_core EXPORT pyvocsep ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY csrc/include/pyvocsep DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT pyvocsep NAMESPACE pyvocsep:: FILE pyvocsep-targets.cmake DESTINATION ${package_dir})

configure_package_config_file(cmake/pyvocsep-config.cmake.in pyvocsep-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(pyvocsep-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/pyvocsep-config.cmake ${PROJECT_BINARY_DIR}/pyvocsep-config-version.cmake
        DESTINATION ${package_dir})

if(APPLE)
  set(cxx_runtime c++)
else()
  set(cxx_runtime stdc++)
endif()
file(RELATIVE_PATH prefix_from_pc_file /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/pyvocsep.pc.in pyvocsep.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/pyvocsep.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
