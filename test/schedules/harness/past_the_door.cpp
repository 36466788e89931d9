// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Functions of the C library that a thread of a run must not call: what they do, the scheduler does not see.
// The program's own functions of these names come before the library's.

#include <cerrno>
#include <string>

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "schedules/harness/race.hpp"
#include "schedules/harness/scheduler.hpp"

namespace {

void refuse(const char* function)
{
  if (schedules::scheduler* s = schedules::scheduler::current())
    s->fail(std::string("a call past the scheduler: ") + function);
}

/// The C library's own function, for calls outside of runs.
template <class Function>
Function* real(const char* name)
{
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

} // namespace

#define INTERLOCK_REFUSED(NAME, RESULT, PARAMETERS, ARGUMENTS) \
  RESULT NAME PARAMETERS \
  { \
    refuse(#NAME); \
    static auto* const next = real<RESULT PARAMETERS>(#NAME); \
    return next ARGUMENTS; \
  }

extern "C"
{
  INTERLOCK_REFUSED(poll, int, (::pollfd * p, ::nfds_t count, int time), (p, count, time))
  INTERLOCK_REFUSED(ppoll, int,
    (::pollfd * p, ::nfds_t count, const ::timespec* time, const ::sigset_t* mask),
    (p, count, time, mask))
  INTERLOCK_REFUSED(epoll_wait, int, (int set, ::epoll_event* events, int most, int time),
    (set, events, most, time))
  INTERLOCK_REFUSED(
    epoll_ctl, int, (int set, int what, int fd, ::epoll_event* event), (set, what, fd, event))
  INTERLOCK_REFUSED(eventfd, int, (unsigned count, int flags), (count, flags))
  INTERLOCK_REFUSED(close, int, (int fd), (fd))
  INTERLOCK_REFUSED(shutdown, int, (int fd, int what), (fd, what))
  INTERLOCK_REFUSED(
    recv, ::ssize_t, (int fd, void* into, std::size_t size, int flags), (fd, into, size, flags))
  INTERLOCK_REFUSED(recvmsg, ::ssize_t, (int fd, ::msghdr* m, int flags), (fd, m, flags))
  INTERLOCK_REFUSED(sendmsg, ::ssize_t, (int fd, const ::msghdr* m, int flags), (fd, m, flags))
  INTERLOCK_REFUSED(splice, ::ssize_t,
    (int from, ::loff_t* read_at, int to, ::loff_t* write_at, std::size_t size, unsigned flags),
    (from, read_at, to, write_at, size, flags))
  INTERLOCK_REFUSED(getsockopt, int, (int fd, int level, int name, void* value, ::socklen_t* size),
    (fd, level, name, value, size))
  INTERLOCK_REFUSED(setsockopt, int,
    (int fd, int level, int name, const void* value, ::socklen_t size),
    (fd, level, name, value, size))
  INTERLOCK_REFUSED(nanosleep, int, (const ::timespec* time, ::timespec* left), (time, left))
  INTERLOCK_REFUSED(pthread_create, int,
    (::pthread_t * made, const ::pthread_attr_t* a, void* (*body)(void*), void* argument),
    (made, a, body, argument))
  INTERLOCK_REFUSED(pthread_cond_wait, int, (::pthread_cond_t * c, ::pthread_mutex_t* m), (c, m))
  INTERLOCK_REFUSED(pthread_cond_timedwait, int,
    (::pthread_cond_t * c, ::pthread_mutex_t* m, const ::timespec* limit), (c, m, limit))
  INTERLOCK_REFUSED(pthread_cond_clockwait, int,
    (::pthread_cond_t * c, ::pthread_mutex_t* m, ::clockid_t clock, const ::timespec* limit),
    (c, m, clock, limit))

  // Asio's registry of services has a mutex of its own. No thread gives way while it holds that.
  int pthread_mutex_lock(::pthread_mutex_t* m)
  {
    static auto* const next = real<int(::pthread_mutex_t*)>("pthread_mutex_lock");
    if (!schedules::scheduler::current())
      return next(m);
    const int result = ::pthread_mutex_trylock(m);
    if (result == EBUSY)
      refuse("pthread_mutex_lock of a locked mutex");
    schedules::race::acquire(m);
    return result;
  }

  int pthread_mutex_unlock(::pthread_mutex_t* m)
  {
    static auto* const next = real<int(::pthread_mutex_t*)>("pthread_mutex_unlock");
    schedules::race::release(m);
    return next(m);
  }
}
