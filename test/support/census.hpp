// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A census of the descriptors that this process has open. A test that leaves one behind, or that
// has closed a descriptor of other code, ends with another count than it began with.

#ifndef INTERLOCK_TEST_SUPPORT_CENSUS_HPP
#define INTERLOCK_TEST_SUPPORT_CENSUS_HPP

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>

#include <dirent.h>
#include <sys/types.h>

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

/// The threads of this process with their names, as the kernel tells.
inline std::map<::pid_t, std::string> thread_names()
{
  ::DIR* folder = ::opendir("/proc/self/task");
  if (!folder)
    throw std::runtime_error("cannot read /proc/self/task");
  std::map<::pid_t, std::string> found;
  while (const ::dirent* entry = ::readdir(folder))
  {
    std::ifstream file("/proc/self/task/" + std::string(entry->d_name) + "/comm");
    std::string name;
    if (entry->d_name[0] != '.' && std::getline(file, name))
      found.emplace(std::stoi(entry->d_name), name);
  }
  ::closedir(folder);
  return found;
}

/// How many threads have this name.
inline std::size_t threads_named(const std::string& name)
{
  const auto names = thread_names();
  return static_cast<std::size_t>(std::count_if(
    names.begin(), names.end(), [&name](const auto& each) { return each.second == name; }));
}

/// How many threads of the library there are: one on its way out holds its descriptors.
inline std::size_t count_workers()
{
  return threads_named("interlock") + threads_named("interlock-close");
}

inline bool has_workers()
{
  return count_workers() != 0;
}

/// The worker of the only context that has one.
inline ::pid_t worker_id()
{
  for (const auto& each : thread_names())
    if (each.second == "interlock")
      return each.first;
  throw std::runtime_error("no worker");
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
