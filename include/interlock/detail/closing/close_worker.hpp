// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The thread that makes each close(2) that can block, or that only an async_close has asked for. It waits for
// the peers of connections that are to be delivered first: of all of them at once, by the delivery engine. Every
// other close(2) is made by the thread that submits.
//
// Started when first needed, named, all signals blocked, its descriptors close-on-exec. It closes descriptors
// in the order in which they come, but for those that wait for a peer. SO_LINGER never takes effect in
// close(2): the worker waits before, and does nothing else to the connection, of which there may be copies. No
// user code runs on it, and no handler of a user is destroyed on it. If no thread can be had, and after stop,
// the thread that submits closes.

#ifndef INTERLOCK_DETAIL_CLOSING_CLOSE_WORKER_HPP
#define INTERLOCK_DETAIL_CLOSING_CLOSE_WORKER_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <interlock/close_mode.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/closing/close_decision.hpp>
#include <interlock/detail/closing/close_job.hpp>
#include <interlock/detail/closing/close_plan.hpp>
#include <interlock/detail/closing/deadline_heap.hpp>
#include <interlock/detail/closing/delivery_engine.hpp>
#include <interlock/detail/closing/forkable_condition.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

struct worker_options
{
  /// How long a watched job may wait before `expired` is called.
  std::chrono::milliseconds watch_time{100};

  /// Runs a function on a thread that is there for nothing else, or throws. Empty: std::thread.
  std::function<void(std::function<void()>)> thread_factory;
};

/// A descriptor that has left the reactor, as its tenure hands it over.
struct detached_descriptor
{
  int fd = no_descriptor;
  linger_setting linger = linger_setting::unknown(); ///< For a close without a demand.
  descriptor_kind kind = descriptor_kind::unknown;
  bool at_once =
    false; ///< The submitting thread closes it, unless close(2) can block or the close waits.
};

class close_worker : public std::enable_shared_from_this<close_worker>
{
public:
  /// How long `await` waits at most.
  static constexpr std::chrono::milliseconds await_time{100};

  /// How many descriptors are closed before deliveries and deadlines have their turn.
  static constexpr std::size_t turns = 64;

  explicit close_worker(worker_options options = {})
    : options_(std::move(options))
  {
  }

  close_worker(const close_worker&) = delete;
  close_worker& operator=(const close_worker&) = delete;
  INTERLOCK_DECL ~close_worker();

  /// Closes the descriptor as has been demanded, and then calls `job.closed()`; a watch of the job is over. On
  /// the worker, unless the descriptor may be closed at once, and the close waits for nothing and cannot block.
  /// Where there is no worker the descriptor is closed and `closed` called before this returns, without
  /// waiting for anything. With no_descriptor there is nothing to close.
  INTERLOCK_DECL void submit(close_job& job, const detached_descriptor& d) noexcept;

  /// Somebody wants the job closed in this mode: the strongest that has been demanded holds, until the
  /// outcome is known. `plan`, which may be null, is for the job if it has none yet.
  INTERLOCK_DECL void demand(
    close_job& job, const close_mode& mode, close_plan_pointer plan = nullptr) noexcept;

  /// Somebody who has not said how joins the close: whoever had asked to wait for a peer no longer
  /// does.
  INTERLOCK_DECL void demand_plainly(close_job& job) noexcept;

  /// Calls `job.expired()` on the worker when the writes of a job with a plan may not go on any longer,
  /// unless it has been or is submitted before. False: no worker, nothing will be called.
  INTERLOCK_DECL bool watch_flush(close_job& job) noexcept;

  /// Calls `job.expired()` on the worker after `watch_time`, unless the job has been or is
  /// submitted before. False: no worker, nothing will be called.
  INTERLOCK_DECL bool watch(close_job& job) noexcept;

  /// Calls `job.retry()` of a job whose descriptor is closed, after `watch_time`. False: no worker.
  INTERLOCK_DECL bool watch_again(close_job& job) noexcept;

  /// Waits, up to `await_time`, until `over()`: asked now, and after each close(2).
  template <class Over>
  void await(Over over) noexcept
  {
    std::unique_lock<sys::mutex> lock(mutex_);
    await(lock, over);
  }

  /// The descriptor of the job has another owner: what is demanded from now on has no effect.
  void gave_out(close_job& job) noexcept
  {
    const std::lock_guard<sys::mutex> lock(mutex_);
    job.write_report();
    job.stage_ = close_job::stage::closed;
  }

  /// What somebody awaits may have come about without a close(2).
  void note_progress() noexcept
  {
    const std::lock_guard<sys::mutex> lock(mutex_);
    if (awaiting_ != 0)
      closed_->notify_all();
  }

  /// Waits, up to `await_time`, until what is queued now has been closed.
  void await_queued() noexcept
  {
    std::optional<std::uint64_t> queued; // when first asked
    await(
      [this, &queued]
      {
        if (!queued)
          queued = queued_count_;
        return closed_count_ >= *queued;
      });
  }

  /// From now on nothing waits for a peer.
  void hurry() noexcept
  {
    const std::lock_guard<sys::mutex> lock(mutex_);
    hurried_ = true;
  }

  /// Takes no more jobs. What is queued or waits for a peer is closed at once; what is watched expires.
  /// Waits up to `bound` for a close(2) that is already blocked, then leaves the thread behind with
  /// it; it is not waited for again, since a context's services are shut down more than once.
  INTERLOCK_DECL void stop(std::chrono::milliseconds bound) noexcept;

  // Around fork(2), all in the thread that forks.

  /// Nothing is closed, and no job called, from now on. Waits up to `await_time` for what is under way.
  /// No mutex is held afterwards that a job may wait for, nor may the caller hold one.
  INTERLOCK_DECL void pause() noexcept;

  /// While paused: nothing changes until one of the others is called.
  INTERLOCK_DECL void prepare_fork() noexcept;
  INTERLOCK_DECL void resume_after_fork() noexcept;

  /// In a forked child, where the thread does not exist, with or without a `prepare_fork`: takes jobs,
  /// but does nothing until `restart_after_fork`. What was queued is closed here as well then, by a
  /// thread of the child's own.
  INTERLOCK_DECL void adopt_after_fork() noexcept;
  INTERLOCK_DECL void restart_after_fork() noexcept;

private:
  template <class Over>
  void await(std::unique_lock<sys::mutex>& lock, Over over) noexcept
  {
    ++awaiting_;
    closed_->wait_for(lock, await_time, over);
    --awaiting_;
  }

  /// Without the mutex. A fork waits for `act`; whoever awaits something is woken afterwards.
  template <class Act>
  void unlocked(std::unique_lock<sys::mutex>& lock, Act act) noexcept
  {
    ++busy_;
    lock.unlock();
    act();
    lock.lock();
    --busy_;
    if (awaiting_ != 0)
      closed_->notify_all();
    wait_out_fork(lock);
  }

  /// The same with a job that is in no list: a fork finds it.
  template <class Act>
  void unlocked(std::unique_lock<sys::mutex>& lock, close_job& job, Act act) noexcept
  {
    in_hand_.push_back(job);
    unlocked(lock, act);
    in_hand_.remove(job);
  }

  // A thread that gets the mutex back waits here until a fork is over. What it has done is complete by then, and
  // what it will do is still in a list.
  void wait_out_fork(std::unique_lock<sys::mutex>& lock) noexcept
  {
    resumed_->wait(lock, [this] { return !forking_; });
  }

  /// A thread that could not be started is asked for again with the next job.
  bool ready() noexcept
  {
    return !stopped_ && (running_ || start());
  }

  bool start() noexcept;
  void wake_if_asleep() noexcept;
  void run() noexcept;
  void run_closes(std::unique_lock<sys::mutex>& lock, std::size_t most) noexcept;
  void run_watches(std::unique_lock<sys::mutex>& lock) noexcept;
  void run_flushes(std::unique_lock<sys::mutex>& lock) noexcept;
  void expire(
    std::unique_lock<sys::mutex>& lock, close_job& job, void (close_job::*how)()) noexcept;
  void sleep(std::unique_lock<sys::mutex>& lock) noexcept;
  void deliver(std::unique_lock<sys::mutex>& lock, close_job::clock::duration timeout) noexcept;

  /// After stop: the engine, when it is next run, ends every delivery. Another thread may be running it.
  void end_deliveries(std::unique_lock<sys::mutex>& lock) noexcept
  {
    if (engine_ && !delivering_ && !engine_->idle())
      deliver(lock, close_job::clock::duration::zero());
  }

  close_job::clock::time_point next_deadline() const noexcept
  {
    auto next = close_job::clock::time_point::max();
    if (!watches_.empty())
      next = watches_.front()->deadline_;
    if (!flushes_.empty())
      next = std::min(next, flushes_.front()->due());
    return next;
  }

  void add_watch(close_job& job, close_job::stage s) noexcept;
  void tighten(close_job& job, const close_mode& mode) noexcept;
  void schedule_flush(close_plan& plan, close_job::clock::time_point now) noexcept;
  void end_flush(close_job& job) noexcept;
  void cut_flush(
    std::unique_lock<sys::mutex>& lock, close_job& job, close_job::clock::time_point now) noexcept;
  bool is_stalled(std::unique_lock<sys::mutex>& lock, close_job& job) noexcept;
  close_circumstances circumstances_of(const close_job& job) const noexcept
  {
    close_circumstances p = job.circumstances();
    p.in_hurry = hurried_;
    return p;
  }

  bool waits(std::unique_lock<sys::mutex>& lock, close_job& job) noexcept;
  bool begins_delivery(close_job& job, close_step how) noexcept;
  void look_at_linger(std::unique_lock<sys::mutex>& lock, close_job& job) noexcept;
  bool close_at_once(std::unique_lock<sys::mutex>& lock, close_job& job) noexcept;
  bool can_block(std::unique_lock<sys::mutex>& lock, close_job& job) noexcept;
  close_step settled_step(std::unique_lock<sys::mutex>& lock, close_job& job) noexcept;
  void close_inline(std::unique_lock<sys::mutex>& lock, close_job& job) noexcept;
  void close_now(std::unique_lock<sys::mutex>& lock, close_job& job, close_step how) noexcept;
  static int close_prepared(int fd, close_step how) noexcept;
  void run_the_rest(std::unique_lock<sys::mutex>& lock) noexcept;

  void queue_delivered() noexcept
  {
    while (close_job* job = delivered_.pop_front())
    {
      job->stage_ = close_job::stage::delivered;
      ++queued_count_;
      closes_.push_back(*job);
    }
  }

  void abandon_deliveries() noexcept;
  void adopt(close_job& job) noexcept;

  const worker_options options_;
  sys::mutex mutex_;
  std::unique_lock<sys::mutex> fork_lock_{mutex_, std::defer_lock}; // between prepare and resume
  sys::condition_variable left_;
  forkable_condition closed_;
  forkable_condition resumed_;

  // Guarded by mutex_.
  job_list closes_;
  job_list in_hand_; // of somebody who does not hold the mutex; in no other list
  job_list watches_; // in the order of their deadlines, since all wait the same time
  deadline_heap flushes_;
  std::uint64_t queued_count_ = 0;
  std::uint64_t closed_count_ = 0; // of those queued
  unsigned awaiting_ = 0;
  unsigned busy_ = 0; // who is with a job, and does not hold the mutex
  bool running_ = false;
  bool asleep_ = false;
  bool hurried_ = false;
  bool stopped_ = false;
  bool delivering_ = false; // somebody runs the engine
  bool forking_ = false;    // from pause on

  int wake_event_ = no_descriptor; // written before the thread starts, closed after it has left
  std::optional<delivery_engine> engine_; // likewise
  job_list delivered_;                    // of whoever runs the engine
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_CLOSE_WORKER_HPP
