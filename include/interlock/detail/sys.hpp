// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What orders threads, and the system calls on descriptors, under one name each.
//
// The rooms from the descriptor to the core take them from here only. Most names are the standard library's or the
// kernel's own. A test puts another header in this one's place, and so runs the library under a scheduler and a kernel
// of its own.

#ifndef INTERLOCK_DETAIL_SYS_HPP
#define INTERLOCK_DETAIL_SYS_HPP

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <new>
#include <thread>
#include <type_traits>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/epoll.h>
#endif

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {
namespace sys {

using std::atomic;
using std::condition_variable;
using std::mutex;
using renewable_mutex = mutex; // that a child makes anew: a parked thread may have it at a fork
using std::thread;
using clock = std::chrono::steady_clock;

/// Written by any thread, to be told to the program: orders nothing, and the library decides nothing by it.
template <class T>
using noted = std::atomic<T>;

/// Into how many parts is divided what all threads use.
constexpr std::size_t parts = 8;

/// How many blocks of memory each part of a context keeps for the next objects. None where a tool watches for uses of
/// freed memory.
#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kept_blocks = 0;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr std::size_t kept_blocks = 0;
#else
constexpr std::size_t kept_blocks = 64;
#endif
#else
constexpr std::size_t kept_blocks = 64;
#endif

/// How many mutexes all objects share, and all tenures.
constexpr std::size_t short_locks = 64;

/// As `c.wait_for`, for a time in which every thread that can run comes to run.
template <class Predicate>
bool wait_long(condition_variable& c, std::unique_lock<mutex>& lock, std::chrono::milliseconds time,
  Predicate over)
{
  return c.wait_for(lock, time, std::move(over));
}

inline thread::id this_thread_id() noexcept
{
  return std::this_thread::get_id();
}

/// How many wake-up eventfds a context keeps for the next synchronous calls that block.
constexpr std::size_t kept_wake_events = 16;

/// What each thread has one of; declared thread_local. Without a destructor, which the loader would have to run at the
/// end of the thread.
template <class T>
using per_thread = std::enable_if_t<std::is_trivially_destructible_v<T>, T>;

/// What the process has one of. Made with its first use, and never destroyed: a context may end after all that is
/// static.
template <class T>
T& of_process()
{
  alignas(T) static unsigned char memory[sizeof(T)];
  static T* const made = ::new (static_cast<void*>(memory)) T;
  return *made;
}

using ::accept;
using ::bind;
using ::close;
using ::connect;
using ::eventfd;
using ::fcntl;
using ::getpeername;
using ::getpid;
using ::getsockname;
using ::getsockopt;
using ::ioctl;
using ::listen;
using ::madvise;
using ::mmap;
using ::open;
using ::pipe;
using ::poll;
using ::ppoll;
using ::pthread_atfork;
using ::pthread_setcancelstate;
using ::pthread_sigmask;
using ::read;
using ::readlink;
using ::readv;
using ::recv;
using ::recvmsg;
using ::sendmsg;
using ::setsockopt;
using ::shutdown;
using ::sigaction;
using ::socketpair;
using ::tcgetattr;
using ::tcsendbreak;
using ::tcsetattr;
using ::write;
using ::writev;

#if defined(__linux__)
using ::epoll_create1;
using ::epoll_ctl;
using ::epoll_wait;
using ::pthread_setname_np;
using ::splice;
#endif

} // namespace sys
} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_SYS_HPP
