// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Stands before the library's header of this name: timers in the time of a run.

#ifndef INTERLOCK_TEST_SCHEDULES_SYS_INTERLOCK_DETAIL_GROUPS_GROUP_TIMERS_HPP
#define INTERLOCK_TEST_SCHEDULES_SYS_INTERLOCK_DETAIL_GROUPS_GROUP_TIMERS_HPP

#include <memory>
#include <utility>

#include <interlock/config.hpp>
#include <interlock/detail/groups/group_executor.hpp>
#include <interlock/detail/sys.hpp>

#include "schedules/context.hpp"

namespace interlock {
inline namespace abi_0 {
namespace detail {

class group_timers
{
public:
  using timer = std::weak_ptr<schedules::timer>;

  template <class Function>
  static timer wait(const group_executor& ex, sys::clock::time_point at, Function on_time)
  {
    return ex.where().start_timer(at.time_since_epoch(), schedules::task(std::move(on_time)));
  }

  static void cancel(const timer& which) noexcept
  {
    if (const auto t = which.lock())
      t->where.cancel_timer(t);
  }
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_TEST_SCHEDULES_SYS_INTERLOCK_DETAIL_GROUPS_GROUP_TIMERS_HPP
