// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Whether another thread of this process is blocked in poll(2), as the kernel tells it: the way to
// know that a call waits without letting time pass.

#ifndef INTERLOCK_TEST_SUPPORT_SLEEPS_IN_POLL_HPP
#define INTERLOCK_TEST_SUPPORT_SLEEPS_IN_POLL_HPP

#include <cstdio>
#include <cstdlib>

#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

namespace support {

inline ::pid_t this_thread_id()
{
  return static_cast<::pid_t>(::syscall(SYS_gettid));
}

/// The number of the system call in which that thread sleeps; -1 if it does not.
inline long sleeps_in(::pid_t thread)
{
  char path[64];
  std::snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", static_cast<int>(thread));
  std::FILE* file = std::fopen(path, "re");
  if (!file)
    return -1;
  // Or "running".
  long call = -1;
  const int found = std::fscanf(file, "%ld", &call);
  std::fclose(file);
  return found == 1 ? call : -1;
}

/// Whether that is the number of poll(2) or ppoll(2).
inline bool is_poll(long call)
{
#if defined(SYS_poll)
  if (call == SYS_poll)
    return true;
#endif
  return call == SYS_ppoll;
}

/// Whether that thread sleeps in poll(2) or ppoll(2).
inline bool sleeps_in_poll(::pid_t thread)
{
  return is_poll(sleeps_in(thread));
}

/// Whether that thread sleeps in epoll_wait(2).
inline bool sleeps_in_epoll(::pid_t thread)
{
  const long call = sleeps_in(thread);
#if defined(SYS_epoll_wait)
  if (call == SYS_epoll_wait)
    return true;
#endif
  return call == SYS_epoll_pwait;
}

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_SLEEPS_IN_POLL_HPP
