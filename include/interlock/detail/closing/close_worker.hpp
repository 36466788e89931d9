// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Where the closes of a context go: each close(2) is made at once by the thread that submits it, or by the worker, or,
// where it can block, by a thread of the elastic lane. The worker also waits for the peers of connections that are to
// be delivered first, for writes that run to their end, and for a detach that does not come.
//
// The worker's thread starts when first needed; no lock is held then. SO_LINGER never takes effect in close(2): the
// worker waits before, and does nothing else to the connection, of which there may be copies. No handler of a user runs
// on the worker, and none is destroyed on it. If no thread can be had, and after stop, the thread that posts does the
// rest itself, and nothing waits.

#ifndef INTERLOCK_DETAIL_CLOSING_CLOSE_WORKER_HPP
#define INTERLOCK_DETAIL_CLOSING_CLOSE_WORKER_HPP

#include <chrono>
#include <utility>

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <interlock/close_mode.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/closing/close_job.hpp>
#include <interlock/detail/closing/close_plan.hpp>
#include <interlock/detail/closing/close_progress.hpp>
#include <interlock/detail/closing/elastic_lane.hpp>
#include <interlock/detail/closing/library_thread.hpp>
#include <interlock/detail/closing/thread_owner.hpp>
#include <interlock/detail/closing/worker_loop.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

struct worker_options
{
  /// How long a watched job may wait before `overdue` is called.
  std::chrono::milliseconds watch_time{100};

  lane_options lane;
};

class close_worker final : public thread_owner
{
public:
  using clock = close_job::clock;

  explicit close_worker(worker_options options = {})
    : options_(std::move(options)),
      share_(options_.lane)
  {
  }

  close_worker(const close_worker&) = delete;
  close_worker& operator=(const close_worker&) = delete;

  close_progress& progress() noexcept
  {
    return share_.progress;
  }

  elastic_lane& lane() noexcept
  {
    return share_.lane;
  }

  /// When the close of a job has begun whose beginning was noted.
  clock::time_point begun(const close_job& job) const noexcept
  {
    return job.watch_until_.load(std::memory_order_relaxed) - options_.watch_time;
  }

  /// A close begins, or its retry: the watch time runs from now on.
  void note_begin(close_job& job) noexcept
  {
    job.watch_until_.store(clock::now() + options_.watch_time, std::memory_order_relaxed);
  }

  /// Closes the descriptor as has been demanded, and then calls `job.closed()`; a watch of the job is over. With
  /// no_descriptor there is nothing to close.
  INTERLOCK_DECL void submit(close_job& job, const detached_descriptor& d) noexcept;

  /// The job is to be closed in this mode: the strongest that has been demanded holds, until it is decided how the
  /// close ends. `plan`, which may be null, is for the job if it has none yet.
  INTERLOCK_DECL void demand(
    close_job& job, const close_mode& mode, close_plan_pointer plan = nullptr) noexcept;

  /// A closer that has not said how joins the close: nothing waits for a peer any more, unless SO_LINGER says so.
  INTERLOCK_DECL void demand_plainly(close_job& job) noexcept;

  /// Calls `job.flush_over()` when the writes of a job with a plan may not go on any longer, unless the job has been or
  /// is submitted before.
  INTERLOCK_DECL void watch_flush(close_job& job) noexcept;

  /// Calls `job.overdue()` after `watch_time`, unless the job has been or is submitted before.
  INTERLOCK_DECL void watch(close_job& job) noexcept;

  /// Calls `job.retry()` of a job whose descriptor is closed, after `watch_time`; or `retry_never`.
  INTERLOCK_DECL void retry_later(close_job& job) noexcept;

  /// From now on nothing waits for a peer.
  void hurry() noexcept
  {
    share_.hurried = true;
  }

  /// Takes no more jobs. What waits for a peer is closed at once; what is watched is overdue. Waits up to `bound` for
  /// what can block, then leaves its threads behind; they are not waited for again, since a context's services are shut
  /// down more than once.
  INTERLOCK_DECL void stop(std::chrono::milliseconds bound) noexcept;

  // Around fork(2), all in the thread that forks.

  /// No thread of the library begins anything from now on. Waits for what is under way; for close(2), and functions of
  /// the user's, up to close_progress::await_time. The caller holds no lock that a job may wait for.
  INTERLOCK_DECL void park() noexcept;
  INTERLOCK_DECL void resume() noexcept;

  /// In a forked child, where the threads do not exist, parked or not. Then `adopt` each job that
  /// the threads may have had, then `restart_after_fork`: what is not closed yet is closed here as well then, by
  /// threads of the child's own.
  INTERLOCK_DECL void adopt_after_fork() noexcept;
  INTERLOCK_DECL void adopt(close_job& job) noexcept;
  INTERLOCK_DECL void restart_after_fork() noexcept;

private:
  using notice = close_job::notice;
  using time_point = close_job::clock::time_point;

  enum class thread_state : unsigned char
  {
    none,
    starting,
    running,
    stopped
  };

  static constexpr time_point at_once = time_point::min(); // for `by`

  bool close_at_once(close_job& job, close_step first) noexcept;
  void post(close_job& job, mail::content what) noexcept;
  posting put(close_job& job, mail::content what) noexcept;
  void follow(close_job& job, posting p, time_point by) noexcept;
  void act_here(close_job& job) noexcept;
  void act_here_for_all(mail* first) noexcept;
  void post_again(mail* first) noexcept;
  void list_again(close_job& job) noexcept;
  void ensure_thread() noexcept;
  bool start() noexcept;
  void run() noexcept;
  void wake(time_point by) noexcept;

  const worker_options options_;
  worker_share share_;
  library_thread thread_; // of the thread that starts it, then of stop
  sys::atomic<thread_state> state_{thread_state::none};
};

using close_worker_pointer = boost::intrusive_ptr<close_worker>;

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_CLOSE_WORKER_HPP
