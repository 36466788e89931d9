// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The sockets whose changes wake one thread, and the eventfd by which others do.
//
// An epoll(7) set, edge-triggered, since a socket whose FIN has been sent is always writable; so nothing is read of
// the eventfd either. Where no set can be had, for want of descriptors or of epoll, waiting still ends by time and by
// the eventfd. What is added is removed before its descriptor is closed: a copy of the descriptor elsewhere would keep
// it in the set (epoll(7), questions and answers).
//
// Both descriptors are gone with the context, whatever keeps the memory longer: `close` closes them, or the last user
// after it. The thread that waits is a user for as long as it runs, one that wakes it for the time of the call.

#ifndef INTERLOCK_DETAIL_CLOSING_EDGE_SET_HPP
#define INTERLOCK_DETAIL_CLOSING_EDGE_SET_HPP

#include <chrono>
#include <cstddef>
#include <limits>

#include <interlock/config.hpp>
#include <interlock/detail/closing/use_count.hpp>
#include <interlock/detail/descriptor/close_descriptor.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// For poll(2), epoll_wait(2) and TCP_USER_TIMEOUT. Rounded up: a thread that is woken a little early finds nothing to
/// do, again and again.
constexpr int whole_milliseconds(sys::clock::duration d) noexcept
{
  constexpr std::chrono::milliseconds most(std::numeric_limits<int>::max());
  if (d <= d.zero())
    return 0;
  return d >= most ? std::numeric_limits<int>::max()
                   : static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(d).count());
}

class edge_set
{
public:
  /// How many edges one wait tells of at most.
  static constexpr std::size_t most = 128;

  edge_set() = default;
  edge_set(const edge_set&) = delete;
  edge_set& operator=(const edge_set&) = delete;

  ~edge_set()
  {
    close();
  }

  class user
  {
  public:
    explicit user(edge_set& s) noexcept
      : set_(s),
        round_(s.users_.round()),
        is_in_(s.users_.enter())
    {
    }

    user(const user&) = delete;
    user& operator=(const user&) = delete;

    ~user()
    {
      if (is_in_ && set_.users_.leave(round_))
        set_.close_descriptors();
    }

    /// False: the set is closed.
    explicit operator bool() const noexcept
    {
      return is_in_;
    }

  private:
    edge_set& set_;
    const unsigned round_;
    const bool is_in_;
  };

  /// Makes the eventfd, and the set if one can be had now. False: not even the eventfd, or `close` has been called. One
  /// thread at a time, before `add`, `remove` and `wait`.
  INTERLOCK_DECL bool open() noexcept;

  /// Ends the wait of the thread that waits, or its next one. Any thread.
  INTERLOCK_DECL void wake() noexcept;

  /// For good. Any thread.
  void close() noexcept
  {
    if (users_.end())
      close_descriptors();
  }

  /// In a forked child, with one thread only: closes the child's copies. The parent's registrations stay.
  void renew_after_fork() noexcept
  {
    users_.renew_after_fork();
    close_descriptors();
  }

  // The thread that waits, a user.

  /// Wakes with `tag` for every change of the socket, and for one that is there already; for input
  /// only on demand. False: it cannot be watched.
  INTERLOCK_DECL bool add(int fd, bool input, void* tag) noexcept;

  INTERLOCK_DECL void remove(int fd) noexcept;

  /// Waits up to `time`, without end if that is the longest there is, and returns the number of tags. The wake-up has
  /// none. Less than a millisecond is kept to; more is rounded up to whole ones.
  INTERLOCK_DECL std::size_t wait(sys::clock::duration time, void* (&tags)[most]) noexcept;

private:
  INTERLOCK_DECL void close_descriptors() noexcept;
  std::size_t wait_for_wake(sys::clock::duration time) noexcept;

  use_count users_;

  // Of the users.
  int wake_event_ = no_descriptor;
  int set_ = no_descriptor;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_EDGE_SET_HPP
