// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The eventfds by which threads that are blocked in synchronous calls are woken.
//
// A thread takes one for the time of one wait. They belong to the context, not to the threads: a thread that ends has
// nothing to do for them, so that a plugin can be unloaded before the threads that have used it end. Without a mutex,
// because a thread that has forked in a signal handler puts one back before its child has adopted the context: there a
// mutex could be locked by a thread that the child does not have.

#ifndef INTERLOCK_DETAIL_DESCRIPTOR_WAKE_EVENTS_HPP
#define INTERLOCK_DETAIL_DESCRIPTOR_WAKE_EVENTS_HPP

#include <array>
#include <cstddef>

#include <interlock/config.hpp>
#include <interlock/detail/descriptor/close_descriptor.hpp>
#include <interlock/detail/descriptor/process.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// The lower bits of this_process().
inline int process_number() noexcept
{
  return static_cast<int>(this_process());
}

/// An eventfd and the process that has made it. Its children share the count: each would take the other's wake-ups.
struct alignas(2 * sizeof(int)) wake_event // without a lock in an atomic object
{
  int descriptor = no_descriptor;
  int process = 0; // its number

  friend bool operator==(const wake_event& a, const wake_event& b) noexcept
  {
    return a.descriptor == b.descriptor && a.process == b.process;
  }
};

class wake_events
{
public:
  wake_events() noexcept
  {
    for (sys::atomic<wake_event>& e : kept_)
      e.store(wake_event(), std::memory_order_relaxed);
  }

  wake_events(const wake_events&) = delete;
  wake_events& operator=(const wake_events&) = delete;

  ~wake_events()
  {
    keep_none();
  }

  /// One that is kept, or a new one. Without a descriptor: none can be had (EMFILE).
  INTERLOCK_DECL wake_event take() noexcept;

  /// Its count is zero. A few are kept for the next waits, the others are closed.
  INTERLOCK_DECL void put(wake_event e) noexcept;

  /// From now on all are closed, also those that are kept. Any thread.
  INTERLOCK_DECL void keep_none() noexcept;

private:
  bool keep(const wake_event& e) noexcept;

  std::array<sys::atomic<wake_event>, sys::kept_wake_events> kept_;
  sys::atomic<bool> keeps_none_{false};
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_DESCRIPTOR_WAKE_EVENTS_HPP
