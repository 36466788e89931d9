// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// How one close is wanted, and what it has to tell; the memory for its delivery.
//
// Made by whoever asks, before the close begins, so that the close itself cannot fail for want of
// memory. It belongs to the job, and stays with it for those who ask for the outcome later.

#ifndef INTERLOCK_DETAIL_CLOSING_CLOSE_PLAN_HPP
#define INTERLOCK_DETAIL_CLOSING_CLOSE_PLAN_HPP

#include <chrono>
#include <memory>

#include <interlock/close_mode.hpp>
#include <interlock/close_report.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/closing/deadline_heap.hpp>
#include <interlock/detail/closing/delivery_job.hpp>
#include <interlock/detail/descriptor/intrusive_list.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class close_job;
using job_list = intrusive_list<close_job>;

class close_plan final : private delivery_job
{
public:
  using clock = sys::clock;

  INTERLOCK_DECL explicit close_plan(
    const close_mode& mode, clock::time_point since = clock::now()) noexcept;

  /// What became of the close. Complete once the job is closed.
  const close_report& report() const noexcept
  {
    return report_;
  }

private:
  friend class close_job;
  friend class close_worker;

  void delivered() noexcept override;

  /// As wanted, with what is left of the time.
  close_mode mode() const noexcept;

  // Guarded by the mutex of the worker until the job is closed. Until the delivery begins so is how it is
  // wanted, and, while the writes that the close waits for run to their end, the deadline_node.
  bool flushing_ = false;
  unsigned flush_steps_ = 0; // when last looked at, as is the queue
  int flush_queue_ = -1;
  close_job* job_ = nullptr; // once anything is waited for

  // The engine's thread, while it delivers.
  job_list* delivered_ = nullptr; // where the job goes afterwards
};

static_assert(sizeof(close_plan) <= 200, "thousands of closes wait at once");

using close_plan_pointer = std::unique_ptr<close_plan>;

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_CLOSE_PLAN_HPP
