// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A census of the descriptors that this process has open. A test that leaves one behind, or that
// has closed one of somebody else's, ends with another count than it began with.

#ifndef INTERLOCK_TEST_SUPPORT_CENSUS_HPP
#define INTERLOCK_TEST_SUPPORT_CENSUS_HPP

#include <cstddef>
#include <fstream>
#include <stdexcept>
#include <string>

#include <dirent.h>

#include "wait_until.hpp"

namespace support {

/// How many descriptors are open, the one that is needed for counting not counted.
inline std::size_t open_descriptors()
{
  ::DIR* folder = ::opendir("/proc/self/fd");
  if (!folder)
    throw std::runtime_error("cannot read /proc/self/fd");
  std::size_t entries = 0;
  while (::readdir(folder))
    ++entries;
  ::closedir(folder);
  return entries - 3; // ".", ".." and the folder itself
}

/// Whether a thread of the library is still there: on its way out, it holds its wake-up descriptor.
inline bool has_workers()
{
  ::DIR* folder = ::opendir("/proc/self/task");
  if (!folder)
    throw std::runtime_error("cannot read /proc/self/task");
  bool found = false;
  while (const ::dirent* entry = ::readdir(folder))
  {
    std::ifstream file("/proc/self/task/" + std::string(entry->d_name) + "/comm");
    std::string name;
    found = found || (std::getline(file, name) && name == "interlock");
  }
  ::closedir(folder);
  return found;
}

class census
{
public:
  /// To be made before the first object of the test: no worker of an earlier one is counted.
  census()
    : before_((wait_until([] { return !has_workers(); }), open_descriptors()))
  {
  }

  /// Whether the count is, or becomes, what it was.
  bool restored() const
  {
    return wait_until([this] { return open_descriptors() == before_; });
  }

private:
  std::size_t before_;
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_CENSUS_HPP
