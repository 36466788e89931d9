// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The threads for each close(2) that can block: as many as there are such closes, up to a limit, so that one that is
// stuck delays no other. At the limit closes wait in a queue. A thread that has had nothing to do for a second ends.
// One more thread reports those that are stuck, if the program wants to know.

#ifndef INTERLOCK_DETAIL_CLOSING_ELASTIC_LANE_HPP
#define INTERLOCK_DETAIL_CLOSING_ELASTIC_LANE_HPP

#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>

#include <interlock/config.hpp>
#include <interlock/detail/closing/close_job.hpp>
#include <interlock/detail/closing/close_progress.hpp>
#include <interlock/detail/closing/fork_gate.hpp>
#include <interlock/detail/closing/forkable.hpp>
#include <interlock/detail/closing/library_thread.hpp>
#include <interlock/detail/closing/thread_owner.hpp>
#include <interlock/detail/descriptor/intrusive_list.hpp>
#include <interlock/detail/sys.hpp>
#include <interlock/slow_close.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

struct lane_options
{
  /// How many threads close at most.
  std::size_t max_threads = 16;

  /// Starts each thread. Empty: sys::thread.
  detail::thread_factory thread_factory;

  /// Is told of each close(2) that has not returned for so long, on a thread of the lane. Empty: none is.
  std::chrono::milliseconds slow_close_age{10000};
  std::function<void(const slow_close&)> on_slow_close;
};

class elastic_lane
{
public:
  /// How long a thread without a close waits for one.
  static constexpr std::chrono::milliseconds idle_time{1000};

  elastic_lane(const lane_options& options, fork_gate& gate, close_progress& progress) noexcept
    : options_(options),
      gate_(gate),
      progress_(progress)
  {
  }

  elastic_lane(const elastic_lane&) = delete;
  elastic_lane& operator=(const elastic_lane&) = delete;
  INTERLOCK_DECL ~elastic_lane();

  /// Has a thread close the job as decided. False: no thread can be had, or the lane has been stopped. Each thread
  /// shares in `owner`, which holds the lane: a thread may be left behind, and outlive whatever else holds it. One
  /// thread calls this: the worker. `entered`: what it has to give to the gate; may have another value then.
  INTERLOCK_DECL bool add(
    close_job& job, close_step how, thread_owner& owner, fork_gate::round& entered) noexcept;

  /// Takes no more jobs, and waits until `end` for the threads to end, when all jobs are closed. What has waited at the
  /// limit gets threads of its own. Threads that are left then are left behind.
  INTERLOCK_DECL void stop(sys::clock::time_point end, thread_owner& owner) noexcept;

  INTERLOCK_DECL void add_to(close_statistics& s) noexcept;

  /// In a forked child: no thread but, at most, the calling one, and no job.
  INTERLOCK_DECL void renew_after_fork() noexcept;

private:
  class member;

  // With the lock, which those that call other code release meanwhile.
  using lock_type = std::unique_lock<sys::mutex>;
  using work = void (elastic_lane::*)(member& self, lock_type& lock);

  bool start(lock_type& lock, thread_owner& owner, work what, fork_gate::round* entered) noexcept;
  bool start_closing(lock_type& lock, thread_owner& owner, fork_gate::round* entered) noexcept;
  void run(member& self, work what) noexcept;
  void end(member& self, lock_type& lock) noexcept;
  void close_jobs(member& self, lock_type& lock) noexcept;
  bool await_job(lock_type& lock) noexcept;
  void close_next(member& self, lock_type& lock) noexcept;
  void report_slow(member& self, lock_type& lock) noexcept;
  bool report(member& slow, const member& self, lock_type& lock) noexcept;
  member* next_slow() const noexcept;
  bool others_have_ended() const noexcept;
  static void join(intrusive_list<member>& ended) noexcept;
  void stay(member& self) noexcept;
  static void forget(member& gone) noexcept;

  const lane_options& options_;
  fork_gate& gate_;
  close_progress& progress_;

  forkable<sys::renewable_mutex> mutex_; // never held while user code can run
  forkable<sys::condition_variable> added_;
  forkable<sys::condition_variable> changed_; // a thread has started or ended, or a close has begun

  // Guarded by mutex_.
  job_list jobs_; // no thread has them yet
  intrusive_list<member> threads_;
  intrusive_list<member> ended_threads_; // to be joined by the next that ends, or by stop
  std::size_t queued_ = 0;               // jobs
  std::size_t closing_ = 0; // threads that close, those included that are being started
  std::size_t idle_ = 0;    // of them, those that wait for a job, or have not noticed one
  bool reporting_ = false;  // one more thread reports
  bool stopped_ = false;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_ELASTIC_LANE_HPP
