// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What the worker's thread does: opens what is posted, calls what is overdue, delivers, and closes. It makes no call
// that can block, but for two: the program's factory of threads, and close(2) where no thread can be had for it.
//
// The loop lives on that thread's stack, and no other thread knows of it: other threads post (mailbox.hpp).

#ifndef INTERLOCK_DETAIL_CLOSING_WORKER_LOOP_HPP
#define INTERLOCK_DETAIL_CLOSING_WORKER_LOOP_HPP

#include <chrono>
#include <cstddef>

#include <interlock/config.hpp>
#include <interlock/detail/closing/close_job.hpp>
#include <interlock/detail/closing/close_progress.hpp>
#include <interlock/detail/closing/deadline_heap.hpp>
#include <interlock/detail/closing/delivery_engine.hpp>
#include <interlock/detail/closing/edge_set.hpp>
#include <interlock/detail/closing/elastic_lane.hpp>
#include <interlock/detail/closing/fork_gate.hpp>
#include <interlock/detail/closing/mailbox.hpp>
#include <interlock/detail/closing/thread_owner.hpp>
#include <interlock/detail/closing/worker_sleep.hpp>
#include <interlock/detail/descriptor/intrusive_list.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// What the worker's thread shares with those that post.
struct worker_share
{
  explicit worker_share(const lane_options& options) noexcept
    : lane(options, gate, progress)
  {
  }

  mailbox box;
  worker_sleep sleep;
  // Opened before the thread starts; from then on its own, but for the wake-up and the close.
  edge_set edges;
  close_progress progress;
  fork_gate gate;
  elastic_lane lane;
  sys::atomic<mail*> unopened{nullptr}; // has been taken out of the mailbox, in order
  sys::atomic<bool> hurried{false};     // nothing waits for a peer any more
  sys::atomic<bool> stopping{false};    // the thread ends
};

class worker_loop
{
public:
  /// How many closes, and how many deliveries, have their turn before the others.
  static constexpr std::size_t turns = 64;

  /// How long the worker stays awake after a close: until then no thread has to wake it. A close that comes meanwhile
  /// waits for the rest of it, so it is no more than what waking a thread costs, a few times over.
  static constexpr std::chrono::microseconds wakeful_time{200};

  /// `owner` holds `share`.
  worker_loop(worker_share& share, thread_owner& owner) noexcept
    : share_(share),
      owner_(owner),
      engine_(due_, share.edges)
  {
  }

  worker_loop(const worker_loop&) = delete;
  worker_loop& operator=(const worker_loop&) = delete;

  /// Until `stopping`: then ends all that is left.
  INTERLOCK_DECL void run() noexcept;

private:
  using clock = close_job::clock;
  using time_point = clock::time_point;

  // Rounds.
  void open_mail(std::size_t most) noexcept;
  void run_watches(time_point now) noexcept;
  void run_due(time_point now) noexcept;
  void wait() noexcept;
  clock::duration time_to_wait() noexcept;
  time_point next_deadline() const noexcept;
  void end_all() noexcept;

  // Notices.
  void open(close_job& job) noexcept;
  void add_watch(close_job& job, close_job::listing l) noexcept;
  void add_flush(close_job& job) noexcept;
  void unlist(close_job& job) noexcept;
  void look_again(close_job& job) noexcept;

  // Watches, flushes, closes.
  void expire(close_job& job) noexcept;
  static bool is_flushing(const close_plan& plan) noexcept;
  void run_flush(close_plan& plan, time_point now) noexcept;
  bool is_stalled(close_plan& plan) noexcept;
  void end_flush(close_plan& plan, time_point now) noexcept;
  void close(close_job& job) noexcept;
  bool begin_delivery(close_job& job, close_step how) noexcept;
  void end_delivery(close_plan& plan) noexcept;
  void finish(close_job& job, close_step how) noexcept;

  worker_share& share_;
  thread_owner& owner_;
  job_list watches_;  // in the order of their deadlines, since all wait the same time
  deadline_heap due_; // plans: flushes and deliveries
  delivery_engine engine_;
  fork_gate::round entered_ = 0;
  bool has_closed_ = false; // in this round
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_WORKER_LOOP_HPP
