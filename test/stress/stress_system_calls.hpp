// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// System calls of this program, replaced for the library under test: what it makes and closes goes
// into the books.
//
// Defines functions of the C library, so one translation unit of a program includes it. What the
// test does for itself goes through `really`, past the books. A sanitizer's own replacement, which
// looks for races on descriptors and buffers, is still passed through.

#ifndef INTERLOCK_TEST_STRESS_STRESS_SYSTEM_CALLS_HPP
#define INTERLOCK_TEST_STRESS_STRESS_SYSTEM_CALLS_HPP

#include <cerrno>
#include <cstdint>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "stress/stress_ledger.hpp"

#define STRESS_CALL(result, name, parameters, arguments, ...) \
  extern "C" __attribute__((weak)) result __interceptor_##name parameters; \
  namespace stress { \
  namespace really { \
  inline result name parameters \
  { \
    return __interceptor_##name ? __interceptor_##name arguments \
                                : static_cast<result>(::syscall(__VA_ARGS__)); \
  } \
  } \
  }

STRESS_CALL(int, close, (int n), (n), SYS_close, n)
STRESS_CALL(int, socket, (int f, int t, int p), (f, t, p), SYS_socket, f, t, p)
STRESS_CALL(int, accept4, (int n, ::sockaddr* a, ::socklen_t* s, int f), (n, a, s, f), SYS_accept4,
  n, a, s, f)
#undef STRESS_CALL

namespace stress {

/// The numbers of sockets and pipes that the library has had.
struct books
{
  static inline counter made{0};   // by the library itself
  static inline counter lent{0};   // by assign
  static inline counter closed{0}; // by the library
  static inline counter stray{0};  // closes of descriptors that were not open

  static int enter(int fd) noexcept
  {
    made += fd >= 0;
    return fd;
  }

  /// Sockets and pipes only: a library has descriptors for its own purposes as well.
  static bool counts_for(int fd) noexcept
  {
    struct ::stat s;
    return ::fstat(fd, &s) == 0 && (S_ISSOCK(s.st_mode) || S_ISFIFO(s.st_mode));
  }

  static int leave(int fd)
  {
    const bool counted = counts_for(fd);
    const int result = really::close(fd);
    closed += counted && result == 0;
    stray += result != 0 && errno == EBADF;
    return result;
  }
};

} // namespace stress

extern "C"
{
  __attribute__((visibility("default"))) int close(int fd)
  {
    return stress::books::leave(fd);
  }

  __attribute__((visibility("default"))) int socket(int family, int type, int protocol) noexcept
  {
    return stress::books::enter(stress::really::socket(family, type, protocol));
  }

  __attribute__((visibility("default"))) int accept(int fd, ::sockaddr* a, ::socklen_t* size)
  {
    return stress::books::enter(stress::really::accept4(fd, a, size, 0));
  }

  __attribute__((visibility("default"))) int accept4(
    int fd, ::sockaddr* a, ::socklen_t* size, int flags)
  {
    return stress::books::enter(stress::really::accept4(fd, a, size, flags));
  }

  // ThreadSanitizer takes a connect for the making of the descriptor, and any use of the object at the
  // same time for a race with that.
  __attribute__((visibility("default"))) int connect(
    int fd, const ::sockaddr* address, ::socklen_t size)
  {
    return static_cast<int>(::syscall(SYS_connect, fd, address, size));
  }

} // extern "C"

#endif // INTERLOCK_TEST_STRESS_STRESS_SYSTEM_CALLS_HPP
