// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Whether another thread of this process is blocked in poll(2), as the kernel tells it: the way to
// know that a call waits without letting time pass.

#ifndef INTERLOCK_TEST_SUPPORT_SLEEPS_IN_POLL_HPP
#define INTERLOCK_TEST_SUPPORT_SLEEPS_IN_POLL_HPP

#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

namespace support {

inline ::pid_t this_thread_id()
{
  return static_cast<::pid_t>(::syscall(SYS_gettid));
}

/// Of a thread, for as long as it runs. The file is opened at once: later there may be no descriptor to be had.
class thread_state
{
public:
  explicit thread_state(::pid_t thread)
  {
    char path[64];
    std::snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", static_cast<int>(thread));
    file_ = ::open(path, O_RDONLY | O_CLOEXEC);
  }

  thread_state(const thread_state&) = delete;
  thread_state& operator=(const thread_state&) = delete;

  ~thread_state()
  {
    if (is_known())
      ::close(file_);
  }

  /// A thread that has ended is not.
  bool is_known() const
  {
    return file_ >= 0;
  }

  /// The number of the system call in which the thread sleeps; -1 if it does not.
  long sleeps_in() const
  {
    // It begins with the number, or says "running".
    char text[128] = {};
    if (::pread(file_, text, sizeof(text) - 1, 0) <= 0 || text[0] < '0' || text[0] > '9')
      return -1;
    return std::strtol(text, nullptr, 10);
  }

private:
  int file_;
};

inline long sleeps_in(::pid_t thread)
{
  return thread_state(thread).sleeps_in();
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
