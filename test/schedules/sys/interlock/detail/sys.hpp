// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Stands before the library's header of this name: what the library orders its threads with, and its system
// calls, under the scheduler and the kernel of a run.

#ifndef INTERLOCK_TEST_SCHEDULES_SYS_INTERLOCK_DETAIL_SYS_HPP
#define INTERLOCK_TEST_SCHEDULES_SYS_INTERLOCK_DETAIL_SYS_HPP

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <system_error>
#include <type_traits>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>

#include <interlock/config.hpp>

#include "schedules/harness/faults.hpp"
#include "schedules/harness/kernel.hpp"
#include "schedules/harness/memory.hpp"
#include "schedules/harness/race.hpp"
#include "schedules/harness/scheduler.hpp"

namespace interlock {
inline namespace abi_0 {
namespace detail {
namespace sys {

namespace race = schedules::race;
using schedules::faults;
using schedules::kernel;
using schedules::scheduler;

/// Written by any thread, to be told to the program: orders nothing, and the library decides nothing by it.
template <class T>
using noted = std::atomic<T>;

/// Which part a thread uses follows from addresses, which differ from run to run.
constexpr std::size_t parts = 1;

/// A use of freed memory fails the run.
constexpr std::size_t kept_blocks = 0;

/// All objects share one, and all tenures: a thread that would lock that of a second object fails the run.
constexpr std::size_t short_locks = 1;

/// So is which of several a thread looks at first.
constexpr std::size_t kept_wake_events = 1;

/// A point of the run under way, before an operation on `object`. Outside of a run nothing else runs.
inline void point(const char* what, const void* object) noexcept
{
  if (scheduler* s = scheduler::current())
    s->point(what, object);
}

/// Fails the run when an object is used after its end.
class lifetime
{
public:
  constexpr lifetime() noexcept = default;

  lifetime(const lifetime&) = delete;
  lifetime& operator=(const lifetime&) = delete;

  // Volatile: the compiler takes a store at the end of a life for one that is never read.
  ~lifetime()
  {
    const_cast<volatile unsigned&>(mark_) = ended;
  }

  void check(const char* what) const noexcept
  {
    if (mark_ != alive)
      if (scheduler* s = scheduler::current())
        s->fail(std::string(what) + " of an object whose life is over");
  }

private:
  static constexpr unsigned alive = 0x1ea11fe;
  static constexpr unsigned ended = 0xdead;

  unsigned mark_ = alive;
};

template <class T>
class atomic
{
public:
  constexpr atomic() noexcept = default;

  constexpr atomic(T value) noexcept // NOLINT(google-explicit-constructor): as std::atomic's
    : value_(value)
  {
  }

  T load(std::memory_order order = std::memory_order_seq_cst) const noexcept
  {
    reach("load");
    race::atomic_load(this, order);
    return value_;
  }

  void store(T value, std::memory_order order = std::memory_order_seq_cst) noexcept
  {
    reach("store");
    race::atomic_store(this, order);
    value_ = value;
  }

  T exchange(T value, std::memory_order order = std::memory_order_seq_cst) noexcept
  {
    reach("exchange");
    race::atomic_exchange(this, order);
    return std::exchange(value_, value);
  }

  bool compare_exchange_strong(T& expected, T desired,
    std::memory_order order = std::memory_order_seq_cst,
    std::memory_order otherwise = std::memory_order_seq_cst) noexcept
  {
    reach("compare_exchange");
    if (value_ == expected)
    {
      race::atomic_exchange(this, order);
      value_ = desired;
      return true;
    }
    race::atomic_load(this, otherwise);
    expected = value_;
    return false;
  }

  bool compare_exchange_weak(T& expected, T desired,
    std::memory_order a = std::memory_order_seq_cst,
    std::memory_order b = std::memory_order_seq_cst) noexcept
  {
    return compare_exchange_strong(expected, desired, a, b);
  }

  T fetch_add(T n, std::memory_order order = std::memory_order_seq_cst) noexcept
  {
    reach("fetch_add");
    race::atomic_exchange(this, order);
    return std::exchange(value_, static_cast<T>(value_ + n));
  }

  T fetch_sub(T n, std::memory_order order = std::memory_order_seq_cst) noexcept
  {
    reach("fetch_sub");
    race::atomic_exchange(this, order);
    return std::exchange(value_, static_cast<T>(value_ - n));
  }

  T fetch_or(T bits, std::memory_order order = std::memory_order_seq_cst) noexcept
  {
    reach("fetch_or");
    race::atomic_exchange(this, order);
    return std::exchange(value_, static_cast<T>(value_ | bits));
  }

  operator T() const noexcept // NOLINT(google-explicit-constructor): as std::atomic's
  {
    return load();
  }

  T operator=(T value) noexcept // NOLINT(misc-unconventional-assign-operator): as std::atomic's
  {
    store(value);
    return value;
  }

private:
  // As large as std::atomic: what is left of its life is asked of the memory.
  void reach(const char* what) const noexcept
  {
    point(what, this);
    scheduler* s = scheduler::current();
    if (s && schedules::memory::is_freed(this))
      s->fail(std::string(what) + " of memory that has been freed");
  }

  T value_{};
};

class mutex
{
public:
  constexpr explicit mutex(bool is_renewable = false) noexcept
    : is_renewable_(is_renewable)
  {
  }

  ~mutex()
  {
    scheduler* s = scheduler::current();
    if (s && is_locked_)
      s->fail("a mutex is destroyed while it is locked");
  }

  void lock()
  {
    scheduler* s = scheduler::current();
    if (s)
    {
      if (is_locked_ && holder_ == s->self())
        s->fail("a thread locks a mutex that it has locked");
      s->point("lock", this);
      life_.check("lock");
      const auto unlocked = [this] { return !is_locked_; };
      if (is_locked_)
        s->wait(schedules::when<decltype(unlocked)>(unlocked), scheduler::forever,
          "lock after waiting", this);
      holder_ = s->self();
      s->count_lock(holder_, is_renewable_ ? 0 : 1);
      race::acquire(this);
    }
    is_locked_ = true;
  }

  // No point: what another thread can see of it, it also sees at the next point of this one.
  void unlock() noexcept
  {
    life_.check("unlock");
    if (scheduler* s = scheduler::current())
      s->count_lock(holder_, is_renewable_ ? 0 : -1);
    race::release(this);
    is_locked_ = false;
  }

private:
  const bool is_renewable_;
  bool is_locked_ = false;
  unsigned holder_ = 0;
  lifetime life_;
};

/// One that a forked child makes anew.
class renewable_mutex : public mutex
{
public:
  constexpr renewable_mutex() noexcept
    : mutex(true)
  {
  }
};

class condition_variable
{
public:
  condition_variable() noexcept = default;

  ~condition_variable()
  {
    scheduler* s = scheduler::current();
    if (s && waiting_ != nullptr)
      s->fail("a condition variable is destroyed while a thread waits for it");
  }

  void notify_all() noexcept
  {
    reach("notify_all");
    for (; waiting_ != nullptr; waiting_ = waiting_->next)
      waiting_->is_notified = true;
  }

  // The thread that has waited for the shortest time.
  void notify_one() noexcept
  {
    reach("notify_one");
    if (waiting_ == nullptr)
      return;
    waiting_->is_notified = true;
    waiting_ = waiting_->next;
  }

  template <class Predicate>
  void wait(std::unique_lock<mutex>& lock, Predicate over)
  {
    while (!over())
      wait_until(lock, scheduler::forever);
  }

  template <class Predicate>
  bool wait_until(
    std::unique_lock<mutex>& lock, std::chrono::steady_clock::time_point limit, Predicate over)
  {
    const auto until = limit.time_since_epoch();
    while (!over())
      if (!wait_until(lock, until))
        return over();
    return true;
  }

  template <class Duration, class Predicate>
  bool wait_for(std::unique_lock<mutex>& lock, Duration time, Predicate over)
  {
    return wait_until(lock,
      std::chrono::steady_clock::time_point(scheduler::current()->now() + time), std::move(over));
  }

  /// The time does not pass as long as a thread can run.
  template <class Predicate>
  bool wait_long(std::unique_lock<mutex>& lock, schedules::duration time, Predicate over)
  {
    const auto until = scheduler::current()->now() + time;
    while (!over())
      if (!wait_until(lock, until, scheduler::limit::at_rest))
        return over();
    return true;
  }

private:
  struct waiter final : schedules::condition
  {
    explicit waiter(waiter* after)
      : next(after)
    {
    }

    bool holds() const override
    {
      return is_notified;
    }

    waiter* next;
    bool is_notified = false;
  };

  // False: until the time limit. Ends without the notification that it may have missed by then.
  bool wait_until(std::unique_lock<mutex>& lock, schedules::duration until,
    scheduler::limit l = scheduler::limit::at_any_time)
  {
    reach("wait");
    waiter self(waiting_);
    waiting_ = &self;
    lock.unlock();
    const bool notified = scheduler::current()->wait(
      self, until, "wait of a condition variable ends", this, l);
    if (!notified)
      forget(self);
    lock.lock();
    return notified;
  }

  void forget(const waiter& w)
  {
    for (waiter** at = &waiting_; *at; at = &(*at)->next)
      if (*at == &w)
      {
        *at = w.next;
        return;
      }
  }

  void reach(const char* what) const noexcept
  {
    point(what, this);
    life_.check(what);
  }

  waiter* waiting_ = nullptr;
  lifetime life_;
};

/// A thread of the library's own, which it joins or leaves behind.
class thread
{
public:
  using id = unsigned;

  thread() noexcept = default;

  explicit thread(std::function<void()> body)
  {
    scheduler::current()->point("start of a thread", this);
    if (const int error = faults::current().next("thread"))
      throw std::system_error(error, std::generic_category());
    number_ = scheduler::current()->start(scheduler::thread_of_library, std::move(body));
  }

  thread(thread&& other) noexcept
    : number_(std::exchange(other.number_, none))
  {
  }

  thread& operator=(thread&& other) noexcept
  {
    scheduler* s = scheduler::current();
    if (s && joinable())
      s->fail("a thread object that is joinable is assigned to");
    number_ = std::exchange(other.number_, none);
    return *this;
  }

  ~thread()
  {
    scheduler* s = scheduler::current();
    if (s && joinable())
      s->fail("a thread object that is joinable is destroyed");
  }

  bool joinable() const noexcept
  {
    return number_ != none;
  }

  id get_id() const noexcept
  {
    return number_;
  }

  void join()
  {
    scheduler& s = *scheduler::current();
    const auto ended = [&] { return s.has_ended(number_); };
    s.wait(schedules::when<decltype(ended)>(ended), scheduler::forever, "join", this);
    race::join(number_);
    number_ = none;
  }

  void detach() noexcept
  {
    number_ = none;
  }

private:
  static constexpr unsigned none = ~0u;

  unsigned number_ = none;
};

template <class Predicate>
bool wait_long(condition_variable& c, std::unique_lock<mutex>& lock, std::chrono::milliseconds time,
  Predicate over)
{
  return c.wait_long(lock, time, std::move(over));
}

inline thread::id this_thread_id() noexcept
{
  return scheduler::current()->self();
}

struct clock
{
  using base = std::chrono::steady_clock;
  using rep = base::rep;
  using period = base::period;
  using duration = base::duration;
  using time_point = base::time_point;
  static constexpr bool is_steady = true;

  static time_point now() noexcept
  {
    return time_point(scheduler::current()->now());
  }
};

/// One T for each thread of a run, and one outside.
template <class T>
class per_thread
{
public:
  constexpr per_thread() noexcept = default;

  per_thread(T) noexcept {} // NOLINT(google-explicit-constructor): null for every thread

  // A thread of a run begins with a new T, which ends with the thread.
  T& of_this() noexcept
  {
    scheduler* s = scheduler::current();
    const unsigned self = s ? s->self() : scheduler::most_threads;
    if (s && used_in_[self] != s->number_of_run())
      take_up(*s, self);
    return values_[self].value;
  }

  operator T() noexcept // NOLINT(google-explicit-constructor): used like a T
  {
    return of_this();
  }

  per_thread& operator=(T value) noexcept
  {
    of_this() = value;
    return *this;
  }

private:
  void take_up(scheduler& s, unsigned thread)
  {
    // What a run that has failed has left is forgotten with that run.
    if (used_in_[thread] != no_run)
      ::new (static_cast<void*>(&values_[thread].value)) T();
    used_in_[thread] = s.number_of_run();
    s.at_exit([this, thread] { renew(thread); });
  }

  void renew(unsigned thread) noexcept
  {
    used_in_[thread] = no_run;
    values_[thread].value.~T();
    ::new (static_cast<void*>(&values_[thread].value)) T();
  }

  static constexpr std::uint64_t no_run = 0;

  // Not destroyed at the end of the program: that would run code of the library outside of a run.
  union slot
  {
    constexpr slot() noexcept
      : value()
    {
    }

    ~slot() {}

    T value;
  };

  std::array<slot, scheduler::most_threads + 1> values_{};
  std::array<std::uint64_t, scheduler::most_threads> used_in_{}; // numbers of runs
};

/// One T for each run, and one outside. What a run that has failed has left is forgotten with that run.
template <class T>
T& of_process()
{
  alignas(T) static unsigned char memory[sizeof(T)];
  static std::uint64_t made_in = ~std::uint64_t(0);
  const scheduler* const s = scheduler::current();
  const std::uint64_t run = s ? s->number_of_run() : 0;
  if (std::exchange(made_in, run) != run)
    ::new (static_cast<void*>(memory)) T;
  return reinterpret_cast<T&>(memory);
}

inline int close(int fd) noexcept
{
  return kernel::current().close(fd);
}

inline int eventfd(unsigned, int) noexcept
{
  return kernel::current().eventfd();
}

inline int epoll_create1(int) noexcept
{
  return kernel::current().epoll_create();
}

inline int epoll_ctl(int set, int what, int fd, ::epoll_event* e) noexcept
{
  return kernel::current().epoll_ctl(set, what, fd, e);
}

inline int epoll_wait(int set, ::epoll_event* events, int most, int milliseconds) noexcept
{
  return kernel::current().epoll_wait(set, events, most, milliseconds);
}

inline int poll(::pollfd* p, ::nfds_t count, int milliseconds) noexcept
{
  return kernel::current().poll(p, count, milliseconds);
}

/// In whole milliseconds, as all waits here.
inline int ppoll(::pollfd* p, ::nfds_t count, const ::timespec* t, const ::sigset_t*) noexcept
{
  return kernel::current().poll(
    p, count, t ? int(t->tv_sec * 1000 + (t->tv_nsec + 999999) / 1000000) : -1);
}

inline ::ssize_t read(int fd, void* to, std::size_t size) noexcept
{
  return kernel::current().read(fd, to, size);
}

inline ::ssize_t write(int fd, const void* from, std::size_t size) noexcept
{
  return kernel::current().write(fd, from, size);
}

inline ::ssize_t recv(int fd, void*, std::size_t size, int) noexcept
{
  return kernel::current().recv(fd, size);
}

inline int shutdown(int fd, int) noexcept
{
  return kernel::current().shutdown(fd);
}

inline int getsockopt(int fd, int level, int name, void* value, ::socklen_t* size) noexcept
{
  return kernel::current().get_option(fd, level, name, value, size);
}

inline int setsockopt(int fd, int level, int name, const void* value, ::socklen_t size) noexcept
{
  return kernel::current().set_option(fd, level, name, value, size);
}

inline int ioctl(int fd, unsigned long what, void* value) noexcept
{
  return kernel::current().query(fd, what, static_cast<int*>(value));
}

inline int getpeername(int fd, ::sockaddr*, ::socklen_t*) noexcept
{
  return kernel::current().peer_name(fd);
}

inline int fcntl(int fd, int what, int = 0) noexcept
{
  if (what != F_SETFD)
    scheduler::current()->fail("the kernel of a run has no such fcntl");
  kernel::current().touch(fd, "fcntl");
  return 0;
}

inline int pthread_sigmask(int, const ::sigset_t*, ::sigset_t*) noexcept
{
  return 0;
}

inline int pthread_setname_np(::pthread_t, const char*) noexcept
{
  return faults::current().next("pthread_setname_np");
}

inline int pthread_setcancelstate(int, int*) noexcept
{
  return 0;
}

// A scenario says when it forks.
inline int pthread_atfork(void (*before)(), void (*in_parent)(), void (*in_child)()) noexcept
{
  if (const int error = faults::current().next("pthread_atfork"))
    return error;
  kernel::current().at_fork(before, in_parent, in_child);
  return 0;
}

// Then a process is told from its children by its number.
inline void* mmap(void*, std::size_t, int, int, int, ::off_t) noexcept
{
  return MAP_FAILED;
}

inline int madvise(void*, std::size_t, int) noexcept
{
  return -1;
}

// There are no files.
inline int open(const char*, int) noexcept
{
  errno = ENOENT;
  return -1;
}

inline ::pid_t getpid() noexcept
{
  return kernel::current().process();
}

// No signal is caught.
inline int sigaction(int, const struct ::sigaction*, struct ::sigaction* old) noexcept
{
  *old = {};
  return 0;
}

// There is no /proc.
inline ::ssize_t readlink(const char*, char*, std::size_t) noexcept
{
  errno = ENOENT;
  return -1;
}

// There are no pipes.
inline ::ssize_t splice(int, ::loff_t*, int, ::loff_t*, std::size_t, unsigned) noexcept
{
  errno = EINVAL;
  return -1;
}

// Calls that the kernel of a run does not have.
#define INTERLOCK_MISSING(CALL) \
  template <class... Args> \
  decltype(::CALL(std::declval<Args>()...)) CALL(Args...) noexcept \
  { \
    scheduler::current()->fail("the kernel of a run has no " #CALL); \
  }

INTERLOCK_MISSING(accept)
INTERLOCK_MISSING(bind)
INTERLOCK_MISSING(connect)
INTERLOCK_MISSING(getsockname)
INTERLOCK_MISSING(listen)
INTERLOCK_MISSING(pipe)
INTERLOCK_MISSING(readv)
INTERLOCK_MISSING(recvmsg)
INTERLOCK_MISSING(sendmsg)
INTERLOCK_MISSING(socketpair)
INTERLOCK_MISSING(tcgetattr)
INTERLOCK_MISSING(tcsendbreak)
INTERLOCK_MISSING(tcsetattr)
INTERLOCK_MISSING(writev)

#undef INTERLOCK_MISSING

} // namespace sys
} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_TEST_SCHEDULES_SYS_INTERLOCK_DETAIL_SYS_HPP
