// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The timers of a group's rounds. Two threads must not use a timer at the same time: the thread that makes it has it
// alone until its wait has begun, and a mutex guards the cancellation.
//
// The wait of a timer owns it, so that it is gone with the execution context of the group. As with detail/sys.hpp, a
// test puts another header in this one's place.

#ifndef INTERLOCK_DETAIL_GROUPS_GROUP_TIMERS_HPP
#define INTERLOCK_DETAIL_GROUPS_GROUP_TIMERS_HPP

#include <chrono>
#include <memory>
#include <mutex>
#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/descriptor/cancellation_disabled.hpp>
#include <interlock/detail/groups/group_executor.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class group_timers
{
private:
  struct armed
  {
    armed(const group_executor& ex, std::chrono::steady_clock::time_point at)
      : timer(ex, at)
    {
    }

    std::mutex mutex;
    boost::asio::steady_timer timer;
  };

public:
  using timer = std::weak_ptr<armed>;

  /// Calls `on_time` at that time, unless it is cancelled. Any thread. If it throws, nothing has begun.
  template <class Function>
  static timer wait(
    const group_executor& ex, std::chrono::steady_clock::time_point at, Function on_time)
  {
    const auto t = std::make_shared<armed>(ex, at);
    t->timer.async_wait(
      [t, on_time = std::move(on_time)](const boost::system::error_code& ec)
      {
        if (!ec)
          on_time();
      });
    return t;
  }

  /// Any thread. A function that is about to be called is called all the same.
  static void cancel(const timer& which) noexcept
  {
    const auto t = which.lock();
    if (!t)
      return;
    const cancellation_disabled put_off;
    const std::lock_guard<std::mutex> lock(t->mutex);
    t->timer.cancel();
  }
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_GROUPS_GROUP_TIMERS_HPP
