// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// How one close is wanted, and what it has to tell; the memory for its delivery.
//
// Made by the closer, before the close begins, so that the close itself cannot fail for want of memory. It belongs
// to the job, whose mutex guards how the close is wanted, and stays with it for closers that ask for the outcome later.

#ifndef INTERLOCK_DETAIL_CLOSING_CLOSE_PLAN_HPP
#define INTERLOCK_DETAIL_CLOSING_CLOSE_PLAN_HPP

#include <algorithm>
#include <chrono>
#include <memory>

#include <interlock/close_mode.hpp>
#include <interlock/close_report.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/closing/deadline_heap.hpp>
#include <interlock/detail/closing/delivery_job.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class close_job;

class close_plan final : private delivery_job
{
public:
  using clock = sys::clock;

  explicit close_plan(const close_mode& mode, clock::time_point since = clock::now()) noexcept
  {
    want(mode, since);
  }

  /// What became of the close. Complete once the job is closed.
  const close_report& report() const noexcept
  {
    return report_;
  }

private:
  friend class close_job;
  friend class close_worker;
  friend class worker_loop;

  /// Until when the writes may go on without another step.
  clock::time_point flush_until(clock::time_point now) const noexcept
  {
    return progress_timeout_ < close_mode::longest_timeout()
      ? std::min(until(), now + progress_timeout_)
      : until();
  }

  // The worker's, once it waits for anything.
  unsigned flush_steps_ = 0; // when last looked at, as is the queue
  int flush_queue_ = -1;
  close_job* job_ = nullptr;
};

static_assert(sizeof(close_plan) <= 200, "thousands of closes wait at once");

using close_plan_pointer = std::unique_ptr<close_plan>;

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_CLOSE_PLAN_HPP
