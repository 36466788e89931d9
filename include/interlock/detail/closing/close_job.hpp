// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The memory that a close needs at the worker. It is part of the tenure, so no close can fail for
// want of memory.
//
// A job is in at most one of the worker's lists at a time: watched (a deadline by which the detach
// must have come, later one by which a failed completion is tried again), or queued for close(2).
// From submit until the call of `closed` it belongs to the worker, which holds it in a list of its own
// while the mutex is not held; while it is delivered, to the delivery engine.

#ifndef INTERLOCK_DETAIL_CLOSING_CLOSE_JOB_HPP
#define INTERLOCK_DETAIL_CLOSING_CLOSE_JOB_HPP

#include <chrono>
#include <memory>

#include <interlock/close_report.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/closing/close_decision.hpp>
#include <interlock/detail/closing/close_plan.hpp>
#include <interlock/detail/descriptor/close_descriptor.hpp>
#include <interlock/detail/descriptor/descriptor_kind.hpp>
#include <interlock/detail/descriptor/intrusive_list.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class close_job : private list_node
{
public:
  using clock = sys::clock;

  close_job(const close_job&) = delete;
  close_job& operator=(const close_job&) = delete;

  /// The errno of close(2), once `closed` has been called.
  int close_error() const noexcept
  {
    return error_;
  }

  /// What became of the data, once `closed` has been called.
  INTERLOCK_DECL close_report report() const noexcept;

  /// Whether the close has waited because SO_LINGER said so, once `closed` has been called.
  bool has_lingered() const noexcept
  {
    return lingered_;
  }

  /// Whoever closes it has said how; otherwise the plans of those who join are for their reports only.
  /// Before the submit.
  void lead(close_lead l) noexcept
  {
    lead_.store(l, std::memory_order_relaxed);
  }

protected:
  close_job() = default;
  ~close_job() = default;

  /// For another descriptor. Nobody else holds the job.
  void reset() noexcept
  {
    fd_ = no_descriptor;
    error_ = 0;
    stage_ = stage::idle;
    lingered_ = copied_ = gone_ = false;
    request_ = close_request();
    kind_ = descriptor_kind::unknown;
    lead(close_lead::nobody);
    plan_.reset();
  }

  /// In a forked child: the descriptor is a copy of the parent's, which nothing is done to but close(2).
  void is_a_copy() noexcept
  {
    copied_ = true;
  }

private:
  friend class close_worker;
  friend class intrusive_list<close_job>;

  /// Keeps the memory until `drop_memory`: for a call on the worker of a job that is not the worker's.
  virtual void keep_memory() noexcept {}
  virtual void drop_memory() noexcept {}

  /// On the worker, or in the thread that has submitted the job: the descriptor is gone.
  virtual void closed() noexcept = 0;

  /// On the worker, never before the deadline of the watch, unless the worker is being stopped.
  virtual void expired() noexcept = 0;

  /// On the worker, when the time of `watch_again` is over.
  virtual void retry() noexcept = 0;

  /// Changes whenever the writes that a close waits for have come one step further.
  virtual unsigned flush_steps() const noexcept
  {
    return 0;
  }

  /// What the kernel has not got rid of (SIOCOUTQ), as long as the writes go on.
  virtual int flush_queue() noexcept
  {
    return 0;
  }

  enum class stage : unsigned char
  {
    idle,
    watched,
    queued,
    delivering,
    delivered, // queued once more
    closed,
    watched_after_close
  };

  /// Of a close that has not waited for a peer.
  void write_report() noexcept;

  close_request request() const noexcept;
  close_circumstances circumstances() const noexcept;

  // Guarded by the worker's mutex from the first demand, watch or submit until `closed` has been
  // called.
  int fd_ = no_descriptor;
  int error_ = 0;
  close_request request_; // but for what is planned
  descriptor_kind kind_ = descriptor_kind::unknown;
  stage stage_ = stage::idle;
  bool lingered_ = false;
  bool copied_ = false;
  bool gone_ = false; // the descriptor was closed before a fork: there is no copy of it
  sys::atomic<close_lead> lead_{close_lead::nobody}; // written by whoever closes
  close_plan_pointer plan_;
  clock::time_point deadline_;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_CLOSE_JOB_HPP
