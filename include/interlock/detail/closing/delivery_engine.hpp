// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Delivers what is left of any number of connections, on one thread, and tells what became of each.
//
// A connection is looked at when its socket wakes the thread, when a time limit is due, and now and
// then in any case; what to do next is told by the stages (delivery.hpp). The kernel wakes a live
// socket for every change that matters: our FIN acknowledged, the peer's FIN, a reset (sk_state_change
// and sk_error_report in Linux), input, and memory freed by a local peer. The look now and then is
// for a socket that cannot be watched, and for a kernel that does not wake.
//
// A connection that is drained is left as it is, for those who have copies of the descriptor: nothing
// is sent, read or set on it but SO_LINGER. No kernel wakes for a queue of TCP that becomes empty
// without our FIN. The looks find it: about as late again as it took, at most `longest_period`.
//
// The engine owns no thread and no descriptor. An event takes O(log n), and nothing is allocated. A round
// is short, however many jobs there are, so that the thread can do other things as well.

#ifndef INTERLOCK_DETAIL_CLOSING_DELIVERY_ENGINE_HPP
#define INTERLOCK_DETAIL_CLOSING_DELIVERY_ENGINE_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>

#include <interlock/close_mode.hpp>
#include <interlock/close_outcome.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/closing/deadline_heap.hpp>
#include <interlock/detail/closing/delivery_job.hpp>
#include <interlock/detail/closing/delivery_stages.hpp>
#include <interlock/detail/closing/edge_set.hpp>
#include <interlock/detail/descriptor/socket_facts.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// Whether sockets are watched, or only looked at from time to time.
enum class watching : unsigned char
{
  edges,
  never
};

class delivery_engine
{
public:
  using clock = delivery_job::clock;

  /// Between looks at a job for which nothing happens: the first, doubled up to the longest.
  static constexpr std::chrono::milliseconds shortest_period{10};
  static constexpr std::chrono::milliseconds longest_period{1000};

  /// How much input of one job is discarded before others have their turn.
  static constexpr std::uint64_t discard_at_once = 1 << 18;

  /// How many of the posted, and of the due, have their turn in one round.
  static constexpr std::size_t turns = edge_set::most;

  /// How long a fork waits at most for a round to end.
  static constexpr std::chrono::milliseconds fork_wait{100};

  /// The thread that runs the engine is woken by `wake_event`, an eventfd that remains the caller's
  /// and outlives the engine. The caller may write to it as well; the engine reads it. Without one
  /// (no_descriptor) it is up to the caller to run the engine after each submit and overtake.
  explicit delivery_engine(int wake_event, watching w = watching::edges) noexcept
    : wake_event_(wake_event),
      watching_(w),
      edges_(wake_event)
  {
  }

  delivery_engine(const delivery_engine&) = delete;
  delivery_engine& operator=(const delivery_engine&) = delete;

  /// There are no jobs any more.
  ~delivery_engine() = default;

  // From any thread.

  /// Ends the connection in the given mode, and then calls `job.delivered()` on the engine's thread,
  /// never from within this function. Its time limits count from `since`. False: the engine has been
  /// stopped, and nothing has been done.
  INTERLOCK_DECL bool submit(delivery_job& job, int fd, const close_mode& mode,
    clock::time_point since = clock::now()) noexcept;

  /// The same, but that our FIN is left to close(2), which sends it for the last copy of the descriptor
  /// only: waits until everything sent has been acknowledged. A mode that waits for more is not meant.
  INTERLOCK_DECL bool drain(delivery_job& job, int fd, const close_mode& mode,
    clock::time_point since = clock::now()) noexcept;

  /// The job goes on in this mode, if it is stronger and the job is not over. A mode that waits can
  /// shorten the time, not lengthen it. The caller answers for the job's memory only: a job that is
  /// over, or was never submitted, is left alone.
  INTERLOCK_DECL void overtake(
    delivery_job& job, const close_mode& mode, clock::time_point since = clock::now()) noexcept;

  /// Takes no more jobs; those that are there are over when the engine is next run, immediate at
  /// the least.
  INTERLOCK_DECL void stop() noexcept;

  // On the engine's thread, or while nobody runs it.

  /// Readable when there is something to do, for a caller that waits for more than the engine;
  /// no_descriptor until there is a set of edges: `wake_event` alone then.
  int fd() const noexcept
  {
    return edges_.fd();
  }

  /// When the engine has to be run at the latest; time_point::max() without jobs.
  INTERLOCK_DECL clock::time_point next_deadline() noexcept;

  /// Whether there are no jobs.
  INTERLOCK_DECL bool idle() noexcept;

  /// Waits, up to `timeout`, for something to do, and does it. Not from within `delivered`.
  INTERLOCK_DECL void run_once(clock::duration timeout) noexcept;

  // Around fork(2), in the thread that forks.

  /// Nothing changes until one of the others is called. Waits up to `fork_wait` for a round to end.
  INTERLOCK_DECL void prepare_fork() noexcept;
  INTERLOCK_DECL void resume_after_fork() noexcept;

  /// In the child, with or without a `prepare_fork`: every job is over, reported as closed, and its
  /// socket left as it is, since the parent goes on with it. `wake_event` is the child's own.
  INTERLOCK_DECL void adopt_after_fork(int wake_event) noexcept;

private:
  bool enter(delivery_job& job, int fd, const close_mode& mode, clock::time_point since,
    delivery_stage first) noexcept;
  void post(delivery_job& job) noexcept;
  void wake() noexcept;
  void begin_round() noexcept;
  void end_round() noexcept;
  void take_posts(clock::time_point now) noexcept;
  delivery_job* take_post() noexcept;
  void take_up(delivery_job& job, clock::time_point now) noexcept;
  void run_due(clock::time_point now) noexcept;
  void end_all(clock::time_point now) noexcept;
  void examine(delivery_job& job, clock::time_point now) noexcept;
  void begin(delivery_job& job, const delivery_state& flushing, clock::time_point now) noexcept;
  delivery_observation observe(delivery_job& job, clock::time_point now) noexcept;
  static void note(delivery_job& job, const socket_facts& facts, clock::time_point now) noexcept;
  void discard(delivery_job& job, clock::time_point now) noexcept;
  void limit_kernel(delivery_job& job, clock::time_point now) noexcept;
  void watch(delivery_job& job) noexcept;
  void schedule(delivery_job& job, clock::time_point now) noexcept;
  void finish(delivery_job& job, close_outcome outcome, clock::time_point now) noexcept;
  void hand_back(delivery_job& job) noexcept;
  bool stopped() noexcept;
  static void settle(const delivery_job& job, close_outcome outcome) noexcept;
  static void complete_report(
    delivery_job& job, close_outcome outcome, clock::time_point now) noexcept;

  int wake_event_; // changes in a forked child only
  const watching watching_;

  sys::mutex mutex_;
  std::unique_lock<sys::mutex> fork_lock_{mutex_, std::defer_lock}; // between prepare and resume
  sys::condition_variable round_over_;
  // Guarded by mutex_, which is never held in a system call but write(2) to the wake_event, nor
  // while a job is called.
  intrusive_list<delivery_job> posts_; // submitted, or with a new demand
  bool signalled_ = false;             // the thread will look at posts_, and at stopped_
  bool stopped_ = false;
  bool in_round_ = false; // the thread is with a job, or between two

  // The engine's thread alone; in a child, the one that has forked.
  deadline_heap jobs_; // taken up
  edge_set edges_;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_DELIVERY_ENGINE_HPP
