// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The sockets whose changes wake one thread, and the eventfd by which others do.
//
// An epoll(7) set, edge-triggered, since a socket whose FIN has been sent is always writable. Where
// none can be had, for want of descriptors or of epoll, waiting still ends by time and by the
// eventfd. Whoever is added must be removed before its descriptor is closed: a copy of the descriptor
// elsewhere would keep it in the set (epoll(7), questions and answers).

#ifndef INTERLOCK_DETAIL_CLOSING_EDGE_SET_HPP
#define INTERLOCK_DETAIL_CLOSING_EDGE_SET_HPP

#include <cstddef>

#include <interlock/config.hpp>
#include <interlock/detail/descriptor/close_descriptor.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class edge_set
{
public:
  /// How many edges one wait tells of at most.
  static constexpr std::size_t most = 128;

  /// `wake_event` remains the caller's and is read by `wait`; it may be no_descriptor.
  explicit edge_set(int wake_event) noexcept
    : wake_event_(wake_event)
  {
  }

  edge_set(const edge_set&) = delete;
  edge_set& operator=(const edge_set&) = delete;
  INTERLOCK_DECL ~edge_set();

  /// Makes the set, if there is none yet. False: none can be had now.
  INTERLOCK_DECL bool open() noexcept;

  /// The set's own descriptor, readable when `wait` would not wait; no_descriptor without a set.
  int fd() const noexcept
  {
    return fd_;
  }

  /// Wakes with `tag` for every change of the socket, and for one that is there already; for input
  /// only on demand. False: it cannot be watched.
  INTERLOCK_DECL bool add(int fd, bool input, void* tag) noexcept;

  INTERLOCK_DECL void remove(int fd) noexcept;

  /// Waits up to so many milliseconds, -1 for ever, and returns the number of tags. The eventfd has
  /// none.
  INTERLOCK_DECL std::size_t wait(int milliseconds, void* (&tags)[most]) noexcept;

  /// In a forked child: gives the set up without changing it, since it is the parent's as well.
  INTERLOCK_DECL void abandon(int wake_event) noexcept;

private:
  std::size_t wait_for_wake(int milliseconds) noexcept;
  void read_wake() noexcept;

  int wake_event_;
  int fd_ = no_descriptor;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_EDGE_SET_HPP
