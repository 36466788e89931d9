// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// One close: what has been demanded of it, the memory that it needs in the library's threads, and its steps.
// It is part of the tenure, so no close can fail for want of memory.
//
// What is demanded is guarded by the job's mutex until it is decided how the close ends; no later demand has an
// effect. The rest belongs to the thread that submits the job, and, once it is posted, to the worker and after it to
// a thread of the elastic lane, until the call of `closed`.

#ifndef INTERLOCK_DETAIL_CLOSING_CLOSE_JOB_HPP
#define INTERLOCK_DETAIL_CLOSING_CLOSE_JOB_HPP

#include <chrono>
#include <memory>

#include <interlock/close_report.hpp>
#include <interlock/close_statistics.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/closing/close_decision.hpp>
#include <interlock/detail/closing/close_plan.hpp>
#include <interlock/detail/closing/context_member.hpp>
#include <interlock/detail/closing/known_errors.hpp>
#include <interlock/detail/closing/mailbox.hpp>
#include <interlock/detail/descriptor/close_descriptor.hpp>
#include <interlock/detail/descriptor/descriptor_kind.hpp>
#include <interlock/detail/descriptor/intrusive_list.hpp>
#include <interlock/detail/descriptor/short_locks.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// A descriptor that has left the reactor, as its tenure hands it over.
struct detached_descriptor
{
  int fd = no_descriptor;
  linger_setting linger = linger_setting::unknown(); ///< For a close without a demand.
  descriptor_kind kind = descriptor_kind::unknown;
  bool at_once =
    false; ///< The submitting thread closes it, unless close(2) can block or the close waits.
  known_errors received = {};
};

/// A place in a list of the library's threads.
class job_node : public list_node
{
};

class close_counts;
class close_job;
using job_list = intrusive_list<close_job, job_node>;

class close_job : public context_member, private job_node, private mail
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

  /// The user's SO_LINGER, kept off the descriptor if on. Decides the close if no caller requested a mode. From the
  /// submit on what is known of the descriptor itself.
  linger_setting linger() const noexcept
  {
    return linger_.load(std::memory_order_relaxed);
  }

  /// Before the submit, by any thread; later by the thread that the job belongs to.
  void set_linger(linger_setting s) noexcept
  {
    linger_.store(s, std::memory_order_relaxed);
  }

  /// The leader of the close has said how; otherwise the plans of closers that join are for their reports only.
  /// Before the submit.
  void lead(close_lead l) noexcept
  {
    lead_.store(l, std::memory_order_relaxed);
  }

private:
  /// How far a close has come, from the submit on.
  enum class stage : unsigned char
  {
    idle,
    submitted,
    delivering,
    delivered,
    in_close, // of close(2)
    closed
  };

protected:
  close_job() noexcept
  {
    reset();
  }

  ~close_job() override = default;

  /// For another descriptor. With the mutex held; no thread closes the job.
  INTERLOCK_DECL void reset() noexcept;

  /// In a forked child: the descriptor is a copy of the parent's, which nothing is done to but close(2).
  void is_a_copy() noexcept
  {
    copied_ = true;
  }

  /// Whether the worker may still touch the job as one that it watches: no `reset` then. With the mutex held.
  bool is_watched() const noexcept
  {
    return watched_;
  }

  /// The descriptor has another owner: what is demanded from now on has no effect.
  INTERLOCK_DECL void give_out() noexcept;

  // What the statistics and the probes tell.

  /// The descriptor is in place.
  void note_opened(close_counts& counts) const noexcept;

  /// The close is over, this time after its beginning.
  void note_closed(
    close_counts& counts, close_outcome outcome, clock::duration time) const noexcept;

  /// Never held while user code can run.
  sys::mutex& mutex() const noexcept
  {
    return tenure_mutex(this);
  }

  /// The threads that are blocked in a call on the job's descriptor, and others. Guarded by the mutex.
  blocked_thread_list& blocked_threads() const noexcept
  {
    return blocked_threads_near(this);
  }

  /// What a close that has left the reactor waits for. Any thread.
  close_stage waits_for() const noexcept
  {
    const stage s = now_at();
    return s == stage::delivering ? close_stage::peer
      : s == stage::in_close      ? close_stage::close_call
                                  : close_stage::queue;
  }

  // What is known of the descriptor, before the submit. Written while the tenure is vacant.
  descriptor_kind kind() const noexcept
  {
    return kind_;
  }

  void is_of_kind(descriptor_kind k) noexcept
  {
    kind_ = k;
  }

private:
  friend struct close_call;
  friend class close_worker;
  friend class elastic_lane;
  friend class worker_loop;
  friend class intrusive_list<close_job, job_node>;

  // --- What the library's threads tell the job.

  /// The descriptor is gone. On one of the library's threads, or in the thread that has submitted the job.
  virtual void closed() noexcept = 0;

  /// The detach has not come in the watch time. A watch of an earlier close in this memory can be over as well: only a
  /// close that waits for its detach is meant.
  virtual void overdue() noexcept = 0;

  /// The writes that the close waits for may not go on.
  virtual void flush_over() noexcept = 0;

  /// Serves the close waiters again, after `retry_later`.
  virtual void retry() noexcept = 0;

  /// There is no thread that could retry.
  virtual void retry_never() noexcept = 0;

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

  // --- Demands. Any thread. True: the worker waits with this close, and has to be told.

  bool demand(const close_mode& mode, close_plan_pointer plan) noexcept;
  bool demand_plainly() noexcept;

  /// The worker, or the thread in its place, has unlisted the job. `submitted`: it was told by a notice of the submit.
  void end_watch(bool submitted) noexcept;

  // --- The thread that the job belongs to.

  /// Returns the next step as it looks now.
  close_step hand_over(const detached_descriptor& d, bool in_hurry) noexcept;

  /// The next step: asks the system for SO_LINGER, if that decides. What does not wait is decided from then on.
  close_step settle(bool in_hurry) noexcept;
  close_step decide(bool in_hurry) noexcept;

  /// The plan of what the close waits for. Null: no memory.
  close_plan* plan_wait(clock::time_point now) noexcept;

  /// How the close is wanted by now.
  close_mode::kind way() noexcept;

  /// Asks the system, if the kind of the descriptor does not tell. `asynchronous`: as in place_of.
  bool can_block(bool asynchronous) noexcept;
  void learn_kind() noexcept;

  /// Calls close(2); then `tell_closed` has to follow, after which the job may be gone.
  void close_descriptor_now(close_step how) noexcept;
  void tell_closed() noexcept;

  void close_now(close_step how) noexcept
  {
    close_descriptor_now(how);
    tell_closed();
  }

  /// In a forked child. False: it was not submitted, or is closed.
  bool begin_again() noexcept;

  stage now_at() const noexcept
  {
    return stage_.load(std::memory_order_relaxed);
  }

  void note(stage s) noexcept
  {
    stage_.store(s, std::memory_order_relaxed);
  }

  void seal() noexcept;
  void write_report() noexcept;
  close_request request() const noexcept;
  close_circumstances circumstances(bool in_hurry) const noexcept;

  /// What the worker has listed the job for.
  enum class listing : unsigned char
  {
    none,
    watch,
    flush,
    retry,
    delivery
  };

  /// What is posted to the worker.
  struct notice
  {
    static constexpr content submit = 1;
    static constexpr content flush = 2;
    static constexpr content watch = 4;
    static constexpr content demand = 8;
    static constexpr content retry = 16;
    static constexpr content forget = 32; ///< The close is over, or goes on without the worker.
  };

  // The order leaves no padding: the flags lie behind the contents of the mail, and what follows the last member is the
  // tenure's.

  // Guarded by the mutex until it is decided how the close ends. From then on nothing writes them.
  bool abortive_ : 1;
  bool prompt_ : 1;
  bool joined_plainly_ : 1;
  bool awaited_ : 1; // the worker waits for writes, or for the peer: it has to hear of demands
  bool decided_ : 1;
  bool : 0;

  // Guarded by the mutex.
  bool submitted_ : 1;
  bool watched_ : 1; // the worker has listed the job, or will
  bool : 0;

  // Of the thread that the job belongs to.
  bool was_at_once_ : 1;     // the submitting thread would have closed it
  bool to_be_forgotten_ : 1; // was watched when submitted
  bool lingered_ : 1;
  bool copied_ : 1; // in a forked child: the descriptor is a copy of the parent's
  bool gone_ : 1;   // the descriptor was closed before a fork: there is no copy of it

protected:
  int
    fd_; // written while the tenure is vacant; from the submit on by the thread that the job belongs to

private:
  close_plan_pointer plan_; // guarded as what is demanded
  // Until when it waits for its detach, or for memory: so long after the close has begun, or after it was out of
  // memory.
  sys::atomic<clock::time_point> watch_until_{clock::time_point()};
  sys::atomic<linger_setting> linger_{linger_setting::unsupported()};

  // Of the thread that the job belongs to.
  unsigned short error_;
  known_errors received_;
  descriptor_kind kind_;    // before, written while the tenure is vacant
  sys::noted<stage> stage_; // any thread may ask
  close_step how_;          // for the elastic lane

  listing listing_ = listing::none; // the worker's, as is the job_node while the job is watched
  sys::atomic<close_lead> lead_{close_lead::none}; // written by the leader
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_CLOSE_JOB_HPP
