// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Whether a thread that posts has to wake the worker: once for each sleep, and not while the worker is awake or
// wakes early enough.
//
// The worker announces its sleep, then looks at the mailbox once more. A thread posts, then looks at the
// announcement. All four are sequentially consistent, so one of the two sees the other.

#ifndef INTERLOCK_DETAIL_CLOSING_WORKER_SLEEP_HPP
#define INTERLOCK_DETAIL_CLOSING_WORKER_SLEEP_HPP

#include <interlock/config.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class worker_sleep
{
public:
  using time_point = sys::clock::time_point;

  worker_sleep() = default;
  worker_sleep(const worker_sleep&) = delete;
  worker_sleep& operator=(const worker_sleep&) = delete;

  /// The worker is about to sleep until then.
  void announce(time_point until) noexcept
  {
    until_.store(until, std::memory_order_seq_cst);
  }

  /// The worker is awake.
  void end() noexcept
  {
    until_.store(awake(), std::memory_order_relaxed);
  }

  /// Whether the calling thread, which has posted something that is due by then, wakes the worker: one thread for
  /// each sleep.
  bool must_wake(time_point by) noexcept
  {
    time_point until = until_.load(std::memory_order_seq_cst);
    return until > by && until_.compare_exchange_strong(until, awake(), std::memory_order_seq_cst);
  }

private:
  static constexpr time_point awake() noexcept
  {
    return time_point::min();
  }

  sys::atomic<time_point> until_{awake()};
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_WORKER_SLEEP_HPP
