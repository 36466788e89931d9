# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""Makes a package of the sources that this recipe stands in, for Conan 2.

    conan create packaging/conan --build=missing
"""

import os
import re

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load, rmdir

SOURCES = ("CMakeLists.txt", "LICENSE_1_0.txt", "cmake/*", "include/*", "src/*", "tools/gdb/*")


class Interlock(ConanFile):
    name = "interlock"
    description = "Boost.Asio sockets, acceptors and descriptors that any thread may close at any moment"
    license = "BSL-1.0"
    topics = ("asio", "boost", "network", "socket")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    # The library is position-independent in either form.
    options = {"shared": [True, False]}
    default_options = {"shared": False}

    @property
    def _top(self):
        return os.path.join(self.recipe_folder, "..", "..")

    def set_version(self):
        config = load(self, os.path.join(self._top, "include", "interlock", "config.hpp"))
        number = int(re.search(r"^#define INTERLOCK_VERSION (\d+)$", config, re.M)[1])
        self.version = f"{number // 100000}.{number // 100 % 1000}.{number % 100}"

    def export_sources(self):
        for pattern in SOURCES:
            copy(self, pattern, self._top, self.export_sources_folder)

    def layout(self):
        cmake_layout(self, src_folder=".")

    def requirements(self):
        # The public headers include Asio's.
        self.requires("boost/[>=1.74 <2]", transitive_headers=True)

    def validate(self):
        if self.settings.os == "Windows":
            raise ConanInvalidConfiguration("Interlock needs a POSIX system")
        check_min_cppstd(self, 17)

    def generate(self):
        CMakeDeps(self).generate()
        CMakeToolchain(self).generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()
        copy(self, "LICENSE_1_0.txt", self.source_folder, os.path.join(self.package_folder, "licenses"))
        # Conan writes its own.
        for folder in ("lib/cmake", "lib/pkgconfig", "share/doc"):
            rmdir(self, os.path.join(self.package_folder, folder))

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "interlock")
        self.cpp_info.set_property("cmake_target_name", "interlock::interlock")
        # Before 1.0 a minor version may change the binary interface.
        self.cpp_info.set_property("cmake_config_version_compat", "SameMinorVersion")
        self.cpp_info.set_property("pkg_config_name", "interlock")
        self.cpp_info.libs = ["interlock"]
        self.cpp_info.requires = ["boost::headers"]
        if self.settings.os in ("Linux", "FreeBSD"):
            self.cpp_info.system_libs = ["pthread"]
