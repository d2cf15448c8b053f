# Headers, libraries and tools, and the package files of find_package(Lowbit).
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(LOWBIT_INSTALL_CMAKE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/Lowbit")
install(DIRECTORY include/lowbit "${PROJECT_BINARY_DIR}/include/lowbit"
        DESTINATION include
        FILES_MATCHING PATTERN "*.h" PATTERN "*.td" PATTERN "*.inc"
        PATTERN "CMakeFiles" EXCLUDE)
install(EXPORT LowbitTargets NAMESPACE Lowbit::
        DESTINATION "${LOWBIT_INSTALL_CMAKE_DIR}")
configure_package_config_file(
  "${CMAKE_CURRENT_LIST_DIR}/LowbitConfig.cmake.in"
  "${CMAKE_CURRENT_BINARY_DIR}/LowbitConfig.cmake"
  INSTALL_DESTINATION "${LOWBIT_INSTALL_CMAKE_DIR}")
write_basic_package_version_file(
  "${CMAKE_CURRENT_BINARY_DIR}/LowbitConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/LowbitConfig.cmake"
              "${CMAKE_CURRENT_BINARY_DIR}/LowbitConfigVersion.cmake"
        DESTINATION "${LOWBIT_INSTALL_CMAKE_DIR}")
