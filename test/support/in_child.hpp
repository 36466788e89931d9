// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Checks that a forked child makes for itself: its exit status says what it found.

#ifndef INTERLOCK_TEST_SUPPORT_IN_CHILD_HPP
#define INTERLOCK_TEST_SUPPORT_IN_CHILD_HPP

#include <cstddef>

#include <pthread.h>
#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/// Of a build that counts which lines are reached: writes the counts. Null in any other.
extern "C" void __gcov_dump() __attribute__((weak));

namespace support {

/// In seconds. A child that hangs is ended by SIGALRM.
constexpr unsigned patience_with_child = 60;

/// What a child begins with that any thread may have forked, and where it may start threads. They get larger stacks
/// than the parent's threads had: otherwise glibc would give them the stacks, and so the ids, of those, and
/// ThreadSanitizer takes that for an error.
inline void begin_child()
{
  ::sigset_t alarm;
  ::sigemptyset(&alarm);
  ::sigaddset(&alarm, SIGALRM);
  ::pthread_sigmask(SIG_UNBLOCK, &alarm, nullptr);
  ::alarm(patience_with_child);
  constexpr std::size_t large = std::size_t(64) << 20;
  ::pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, large);
  ::pthread_setattr_default_np(&attributes);
  ::pthread_attr_destroy(&attributes);
}

/// Ends the child, without what the parent does at its own end.
[[noreturn]] inline void end_child(bool is_well)
{
  if (__gcov_dump)
    __gcov_dump();
  ::_exit(is_well ? 0 : 1);
}

/// Forks, by the call `fork`: `child`, there, says whether all is well. Here, the number of the child.
template <class Child>
::pid_t fork_to(Child child, ::pid_t (*fork)() = &::fork)
{
  const ::pid_t pid = fork();
  if (pid != 0)
    return pid;
  ::alarm(patience_with_child);
  end_child(child());
}

/// Waits for the child: whether all was well.
inline bool was_well(::pid_t child)
{
  int status = -1;
  return child > 0 && ::waitpid(child, &status, 0) == child && status == 0;
}

template <class Child>
bool in_child(Child child, ::pid_t (*fork)() = &::fork)
{
  return was_well(fork_to(child, fork));
}

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_IN_CHILD_HPP
