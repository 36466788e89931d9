# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
#
# What "cmake --install" installs: the library, its headers and licence, and what finds them: the packages of CMake
# and of pkg-config. packaging/install.jam installs the same for "b2 install".

include(CMakePackageConfigHelpers)

set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/interlock")

install(TARGETS interlock EXPORT interlock-targets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(DIRECTORY include/ DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.hpp")
install(FILES LICENSE_1_0.txt DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(FILES tools/gdb/interlock.py DESTINATION "${CMAKE_INSTALL_DATADIR}/interlock/gdb")

# --- CMake ------------------------------------------------------------------------------------

install(EXPORT interlock-targets NAMESPACE interlock:: DESTINATION "${package_folder}")
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/interlock-config-version.cmake"
  COMPATIBILITY SameMinorVersion)
set(boost_version "")
if(Boost_VERSION_MAJOR)
  set(boost_version "${Boost_VERSION_MAJOR}.${Boost_VERSION_MINOR}")
endif()
configure_file(cmake/interlock-config.cmake.in "${CMAKE_CURRENT_BINARY_DIR}/interlock-config.cmake" @ONLY)
install(FILES
  "${CMAKE_CURRENT_BINARY_DIR}/interlock-config.cmake"
  "${CMAKE_CURRENT_BINARY_DIR}/interlock-config-version.cmake"
  DESTINATION "${package_folder}")

# --- pkg-config -------------------------------------------------------------------------------

foreach(folder libdir includedir)
  string(TOUPPER "CMAKE_INSTALL_${folder}" variable)
  set(${folder} "${${variable}}")
  if(NOT IS_ABSOLUTE "${${folder}}")
    set(${folder} "\${prefix}/${${folder}}")
  endif()
endforeach()
set(version "${PROJECT_VERSION}")
set(prefix "@prefix@")
configure_file(cmake/interlock.pc.in "${CMAKE_CURRENT_BINARY_DIR}/interlock.pc.in" @ONLY)

# The prefix is known only now: "cmake --install --prefix" may name another one than the configuration did.
install(CODE "
  get_filename_component(prefix \"\${CMAKE_INSTALL_PREFIX}\" ABSOLUTE)
  configure_file(\"${CMAKE_CURRENT_BINARY_DIR}/interlock.pc.in\" \"${CMAKE_CURRENT_BINARY_DIR}/interlock.pc\" @ONLY)")
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/interlock.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
