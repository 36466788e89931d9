// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The memory that the delivery of one connection needs. It is a part of its owner, so no delivery can fail for
// want of memory.
//
// From the begin until it is over the job belongs to the engine, and only the engine touches the descriptor. Then both
// are the owner's again, which closes the descriptor.

#ifndef INTERLOCK_DETAIL_CLOSING_DELIVERY_JOB_HPP
#define INTERLOCK_DETAIL_CLOSING_DELIVERY_JOB_HPP

#include <algorithm>
#include <chrono>
#include <cstdint>

#include <interlock/close_mode.hpp>
#include <interlock/close_report.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/closing/deadline_heap.hpp>
#include <interlock/detail/closing/delivery_stages.hpp>
#include <interlock/detail/descriptor/close_descriptor.hpp>
#include <interlock/detail/descriptor/socket_facts.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class delivery_job : protected deadline_node
{
public:
  using clock = sys::clock;

protected:
  delivery_job() = default;
  ~delivery_job() = default;

  /// How it is to be delivered, with time limits that count from `since`. Before it begins.
  void want(const close_mode& mode, clock::time_point since) noexcept
  {
    demanded_ = mode.what();
    since_ = since;
    until_ = later(since, mode.timeout());
    progress_timeout_ = mode.progress_timeout();
    discard_limit_ = mode.discard_limit();
  }

  /// Goes on in a stronger mode. One that waits can shorten the time, not lengthen it.
  void tighten(const close_mode& mode, clock::time_point since) noexcept
  {
    demanded_ = mode.what();
    if (mode.delivers())
      end_by(later(since, mode.timeout()));
  }

  void end_by(clock::time_point t) noexcept
  {
    until_ = std::min(until(), t);
  }

  clock::time_point until() const noexcept
  {
    return until_;
  }

  // The owner's. While the job is the engine's, this does not change.
  clock::time_point since_;
  close_mode::duration progress_timeout_{};
  std::uint64_t discard_limit_ = 0;

  // The engine's while it delivers: the bytes discarded so far and, as what is
  // unacknowledged, the whole queue when last looked at.
  close_report report_;

  // The owner's. The engine reads the time while a thread may shorten it.
  sys::atomic<clock::time_point> until_{clock::time_point()};
  close_mode::kind demanded_ = close_mode::kind::immediate; // the strongest so far

private:
  friend class delivery_engine;

  /// A point in time that is never so far away that it wraps.
  static clock::time_point later(clock::time_point t, close_mode::duration d) noexcept
  {
    return t + std::clamp(d, close_mode::duration::zero(), close_mode::longest_timeout());
  }

  // The engine's, as is the deadline_node.
  close_mode::kind wanted_ = close_mode::kind::immediate;
  transport kind_ = transport::other;
  int fd_ = no_descriptor;
  int error_ = 0;            // taken away from the socket, also by an operation
  unsigned retry_limit_ = 0; // TCP_USER_TIMEOUT before
  clock::time_point moved_;  // when progress was last seen
  std::chrono::duration<short, std::milli> period_{}; // until the next look, if nothing happens
  delivery_state state_;
  bool watched_ = false;     // is in the set of edges
  bool end_read_ = false;    // the end of its input has been read
  bool input_left_ = false;  // there is input that may not, or cannot, be discarded
  bool input_more_ = false;  // there may be input that has not been looked at
  bool fin_refused_ = false; // shutdown(2) has failed
  bool retrying_ = false;    // the kernel waits for the peer, longer than we do
  bool unproven_ = false;    // a peer that has gone need not have read everything
  bool limit_asked_ = false; // the kernel has been told how long to wait, if that was possible
  bool limited_ = false;     // TCP_USER_TIMEOUT has been set
  bool alive_ = false;       // a look has shown a connection
  bool fin_queued_ = false;  // our FIN is, or has been, in the queue
  // A derived class puts its small members into the padding that follows.
};

static_assert(sizeof(delivery_job) <= 152, "thousands of deliveries go on at once");

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_DELIVERY_JOB_HPP
