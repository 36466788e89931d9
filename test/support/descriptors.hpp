// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Facts about descriptors: which are open in this process, what they refer to, which sets
// of epoll(7) watch them, and a time in which no new one can be had.

#ifndef INTERLOCK_TEST_SUPPORT_DESCRIPTORS_HPP
#define INTERLOCK_TEST_SUPPORT_DESCRIPTORS_HPP

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

namespace support {

/// A descriptor that is never open: far above every limit.
constexpr int bad_fd = 1 << 30;

inline bool is_fd_open(int fd)
{
  return ::fcntl(fd, F_GETFD) >= 0;
}

inline bool is_non_blocking(int fd)
{
  return (::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
}

/// Whether poll(2) reports an error or a hang-up, which it does unasked.
inline bool has_error(int fd)
{
  ::pollfd p = {fd, 0, 0};
  return ::poll(&p, 1, 0) == 1;
}

/// What /proc says a descriptor refers to, such as "anon_inode:[eventfd]"; empty if it is not open.
inline std::string referred_to(int fd)
{
  char text[256];
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ::ssize_t size = ::readlink(link.c_str(), text, sizeof(text));
  return size < 0 ? std::string() : std::string(text, text + size);
}

/// The descriptors open now, and the one by which this has read them.
inline std::set<int> open_fds()
{
  ::DIR* folder = ::opendir("/proc/self/fd");
  if (!folder)
    throw std::runtime_error("cannot read /proc/self/fd");
  std::set<int> found;
  while (const ::dirent* entry = ::readdir(folder))
    if (entry->d_name[0] != '.')
      found.insert(std::atoi(entry->d_name));
  ::closedir(folder);
  return found;
}

/// Those that refer to this.
inline std::set<int> open_fds(const std::string& what)
{
  std::set<int> found;
  for (const int fd : open_fds())
    if (referred_to(fd) == what)
      found.insert(fd);
  return found;
}

inline std::set<int> open_eventfds()
{
  return open_fds("anon_inode:[eventfd]");
}

/// The sets of epoll(7) that watch a descriptor, as proc(5) shows them.
inline std::set<int> watchers_of(int fd)
{
  std::set<int> found;
  for (const int set : open_fds("anon_inode:[eventpoll]"))
  {
    std::ifstream info("/proc/self/fdinfo/" + std::to_string(set));
    std::string word;
    int watched = 0;
    while (info >> word)
      if (word == "tfd:" && info >> watched && watched == fd)
        found.insert(set);
  }
  return found;
}

/// As many descriptors as the system allows.
class many_descriptors
{
public:
  many_descriptors()
  {
    if (::getrlimit(RLIMIT_NOFILE, &before_) != 0)
      throw std::runtime_error("cannot find the limit of descriptors");
    ::rlimit all = before_;
    all.rlim_cur = all.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &all) != 0)
      throw std::runtime_error("cannot raise the limit of descriptors");
  }

  many_descriptors(const many_descriptors&) = delete;
  many_descriptors& operator=(const many_descriptors&) = delete;

  ~many_descriptors()
  {
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }

private:
  ::rlimit before_;
};

/// While it lives, every attempt to open another descriptor fails with EMFILE, but for the number of
/// `reserved` once that is closed.
class no_more_descriptors
{
public:
  explicit no_more_descriptors(int reserved = -1)
  {
    if (::getrlimit(RLIMIT_NOFILE, &before_) != 0)
      throw std::runtime_error("cannot find the limit of descriptors");
    // The lowest descriptor that is free becomes the limit: what is open above it stays usable.
    const int lowest = ::dup(0);
    if (lowest < 0)
      throw std::runtime_error("no descriptor is free already");
    ::close(lowest);
    limit(static_cast<::rlim_t>(std::max(lowest, reserved + 1)));
    // What is free below `reserved` would be taken instead.
    for (int fd = ::dup(0); fd >= 0; fd = ::dup(0))
      taken_.push_back(fd);
  }

  no_more_descriptors(const no_more_descriptors&) = delete;
  no_more_descriptors& operator=(const no_more_descriptors&) = delete;

  ~no_more_descriptors()
  {
    for (const int fd : taken_)
      ::close(fd);
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }

private:
  void limit(::rlim_t number)
  {
    ::rlimit now = before_;
    now.rlim_cur = number;
    if (::setrlimit(RLIMIT_NOFILE, &now) != 0)
      throw std::runtime_error("cannot limit descriptors");
  }

  ::rlimit before_;
  std::vector<int> taken_;
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_DESCRIPTORS_HPP
