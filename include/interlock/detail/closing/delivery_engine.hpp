// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Delivers what is left of any number of connections, and tells what became of each. One thread.
//
// A connection is looked at when its socket wakes the thread, when a time limit is due, and now and then in any case;
// what to do next is told by the stages (delivery_stages.hpp). The kernel wakes a live socket for every change that
// matters: our FIN acknowledged, the peer's FIN, a reset (sk_state_change and sk_error_report in Linux), input, and
// memory freed by a local peer. The look now and then is for a socket that cannot be watched, and for a kernel that
// does not wake.
//
// A connection that is drained is left as it is, for the processes that have copies of the descriptor: nothing is sent,
// read or set on it but SO_LINGER. No kernel wakes for a queue of TCP that becomes empty without our FIN. The looks
// find it: about as late again as it took, at most `longest_period`.
//
// The engine owns no thread, heap or descriptor. A look takes O(log n), and nothing is allocated. A look that returns
// true was the last: the report is complete, the engine knows the job no more, and close(2) of the descriptor cannot
// wait for SO_LINGER, and resets the connection if the outcome is `aborted`.

#ifndef INTERLOCK_DETAIL_CLOSING_DELIVERY_ENGINE_HPP
#define INTERLOCK_DETAIL_CLOSING_DELIVERY_ENGINE_HPP

#include <chrono>
#include <cstdint>

#include <interlock/close_mode.hpp>
#include <interlock/close_outcome.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/closing/deadline_heap.hpp>
#include <interlock/detail/closing/delivery_job.hpp>
#include <interlock/detail/closing/delivery_stages.hpp>
#include <interlock/detail/closing/edge_set.hpp>
#include <interlock/detail/closing/known_errors.hpp>
#include <interlock/detail/descriptor/retry_limit.hpp>
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

/// How a delivery begins.
struct delivery_start
{
  int fd;

  /// `fresh`, or `draining`, which leaves our FIN to close(2), because that sends it for the last copy of the
  /// descriptor only: waits until everything sent has been acknowledged.
  delivery_stage first;

  close_mode::kind wanted;
  known_errors received = {};
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

  /// The caller looks at a job of `heap` when it is due, and at the tag of `edges` when that wakes it.
  delivery_engine(deadline_heap& heap, edge_set& edges, watching w = watching::edges) noexcept
    : jobs_(heap),
      edges_(edges),
      watching_(w)
  {
  }

  delivery_engine(const delivery_engine&) = delete;
  delivery_engine& operator=(const delivery_engine&) = delete;

  /// Ends the connection, and looks.
  INTERLOCK_DECL bool begin(
    delivery_job& job, const delivery_start& start, clock::time_point now) noexcept;

  INTERLOCK_DECL bool look(delivery_job& job, clock::time_point now) noexcept;

  /// A look after the socket has woken the thread.
  INTERLOCK_DECL bool woken(delivery_job& job, clock::time_point now) noexcept;

  /// Goes on in this mode, if it is stronger, and looks.
  INTERLOCK_DECL bool overtake(
    delivery_job& job, close_mode::kind wanted, clock::time_point now) noexcept;

private:
  void send_end(delivery_job& job, const delivery_state& flushing) noexcept;
  delivery_observation observe(delivery_job& job, clock::time_point now) noexcept;
  static void note(delivery_job& job, const socket_facts& facts, clock::time_point now) noexcept;
  void discard(delivery_job& job, clock::time_point now) noexcept;
  void limit_kernel(delivery_job& job, clock::time_point now) noexcept;
  static void lift_limit(delivery_job& job) noexcept;
  void watch(delivery_job& job) noexcept;
  void schedule(delivery_job& job, clock::time_point now) noexcept;
  void finish(delivery_job& job, close_outcome outcome, clock::time_point now) noexcept;
  static void settle(delivery_job& job, close_outcome outcome) noexcept;
  static void complete_report(
    delivery_job& job, close_outcome outcome, clock::time_point now) noexcept;

  deadline_heap& jobs_;
  edge_set& edges_;
  const watching watching_;
  retry_limit limit_;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_DELIVERY_ENGINE_HPP
