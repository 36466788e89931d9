// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/closing/delivery_engine.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

#include <interlock/close_report.hpp>
#include <interlock/detail/descriptor/calls.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

// An error that comes after the look for a peer that has gone is in the socket: no operation is left that could take
// it.
bool delivery_engine::begin(
  delivery_job& job, const delivery_start& start, clock::time_point now) noexcept
{
  job.wanted_ = start.wanted;
  job.state_ = {start.first};
  job.watched_ = job.fin_refused_ = job.retrying_ = false;
  job.limit_asked_ = job.limited_ = job.alive_ = job.fin_queued_ = false;
  job.end_read_ = job.input_left_ = job.input_more_ = false;
  job.fd_ = start.fd;
  job.report_ = close_report();
  job.kind_ = transport_of(start.fd);
  job.error_ = error_that_counts(job.kind_, start.received.error);
  job.unproven_ = job.kind_ == transport::unix_stream && !start.received.are_all
    && has_hung_up(start.fd);
  job.period_ = shortest_period;
  job.moved_ = now;
  jobs_.insert(job, job.until());
  return look(job, now);
}

bool delivery_engine::look(delivery_job& job, clock::time_point now) noexcept
{
  for (;;)
  {
    const delivery_observation o = observe(job, now);
    const delivery_step step = advance(job.state_, o, job.wanted_);
    if (step.act == delivery_act::report)
    {
      finish(job, step.next.outcome, now);
      return true;
    }
    if (step.act != delivery_act::send_fin)
    {
      job.state_ = step.next;
      break;
    }
    // Looks again at once: on loopback the acknowledgement may be there.
    send_end(job, step.next);
  }
  // Where everything is acknowledged, keepalive probes are what finds a peer that has gone; the limit is theirs too.
  if (job.state_.stage == delivery_stage::acknowledged)
    lift_limit(job);
  else
    limit_kernel(job, now);
  watch(job);
  schedule(job, now);
  return false;
}

bool delivery_engine::woken(delivery_job& job, clock::time_point now) noexcept
{
  // sock_wfree() wakes us before it has taken the last of the memory out of the queue. A process that writes to a copy
  // that is drained wakes us, and nothing does for what it has sent.
  if (job.kind_ == transport::unix_stream || drains(job.state_))
    job.period_ = shortest_period;
  return look(job, now);
}

bool delivery_engine::overtake(
  delivery_job& job, close_mode::kind wanted, clock::time_point now) noexcept
{
  if (stronger(wanted, job.wanted_))
    job.wanted_ = wanted;
  return look(job, now);
}

void delivery_engine::send_end(delivery_job& job, const delivery_state& flushing) noexcept
{
  job.fin_refused_ = !send_fin(job.fd_);
  if (job.fin_refused_)
    return;
  job.state_ = flushing;
  job.fin_queued_ = job.kind_ == transport::tcp;
}

delivery_observation delivery_engine::observe(delivery_job& job, clock::time_point now) noexcept
{
  job.input_more_ = false;
  // Before our FIN there may be no connection to read from, or another process reads from it.
  if (job.wanted_ == close_mode::kind::graceful && has_sent_fin(job.state_))
    discard(job, now);
  const socket_facts facts = drains(job.state_) && job.error_ == 0
    ? look_and_leave(job.fd_, job.kind_)
    : detail::look(job.fd_, job.kind_, job.error_);
  note(job, facts, now);

  delivery_observation o;
  o.sight = sight_of(facts);
  o.drained = drained(facts, job.alive_);
  o.peer_finished = peer_finished(facts, job.end_read_);
  o.input_left = job.input_left_;
  o.input_more = job.input_more_;
  o.fin_refused = job.fin_refused_;
  o.stalled = now - job.moved_ >= job.progress_timeout_;
  o.expired = now >= job.until();
  return o;
}

void delivery_engine::note(
  delivery_job& job, const socket_facts& facts, clock::time_point now) noexcept
{
  if (facts.error)
    job.error_ = facts.error;
  job.retrying_ = facts.retrying;
  job.alive_ |= sight_of(facts) == delivery_sight::pending;
  job.fin_queued_ |= fin_queued(facts);
  if (facts.queued < job.report_.unacknowledged)
    job.moved_ = now;
  job.report_.unacknowledged = facts.queued;
}

void delivery_engine::discard(delivery_job& job, clock::time_point now) noexcept
{
  if (job.input_left_ || job.end_read_)
    return;
  const std::uint64_t room = job.discard_limit_ - job.report_.discarded;
  const discarded_input input = room == 0
    ? examine_input(job.fd_)
    : discard_input(job.fd_, job.kind_, std::min(room, discard_at_once));
  job.report_.discarded += input.bytes;
  job.end_read_ = input.ended;
  job.input_more_ = input.more && room != 0;
  job.input_left_ = input.error != 0 || (input.more && room == 0);
  if (input.error)
    job.error_ = input.error;
  // Until the acknowledgement only what the peer takes is progress, not what it sends.
  if (input.bytes != 0 && job.state_.stage == delivery_stage::acknowledged)
    job.moved_ = now;
}

// So that a connection that has timed out does not stay in the kernel long after it is closed. A peer
// that had kept the kernel waiting before would be given up earlier than we do: the kernel counts
// from the first unanswered segment. A connection that drains has no limit, because a copy may go on with it.
void delivery_engine::limit_kernel(delivery_job& job, clock::time_point now) noexcept
{
  if (job.limit_asked_)
    return;
  job.limit_asked_ = true;
  const auto left = static_cast<unsigned>(whole_milliseconds(job.until() - now));
  if (job.kind_ != transport::tcp || drains(job.state_) || job.retrying_ || left == 0)
    return;
  job.limited_ = limit_.shorten(job.fd_, left, job.retry_limit_);
}

void delivery_engine::lift_limit(delivery_job& job) noexcept
{
  if (std::exchange(job.limited_, false))
    retry_limit::restore(job.fd_, job.retry_limit_);
}

// After a first look, which may be all that is needed: what has happened in between is an edge all the
// same, since the set tells the state of a newcomer.
void delivery_engine::watch(delivery_job& job) noexcept
{
  if (job.watched_ || watching_ == watching::never || !edges_.open())
    return;
  job.watched_ = edges_.add(job.fd_, job.wanted_ == close_mode::kind::graceful, &job);
  if (job.watched_ && job.kind_ == transport::tcp && !drains(job.state_))
    job.period_ = longest_period;
}

// Always after `now`: what is due is looked at once a round. Each of the limits still lies ahead, or
// the job would be over, unless it has been overtaken meanwhile.
void delivery_engine::schedule(delivery_job& job, clock::time_point now) noexcept
{
  auto due = now + (job.input_more_ ? clock::duration(1) : job.period_);
  job.period_ = std::min<std::chrono::milliseconds>(2 * job.period_, longest_period);
  due = std::min(due, job.until());
  if (job.progress_timeout_ < close_mode::longest_timeout())
    due = std::min(due, job.moved_ + job.progress_timeout_);
  jobs_.update(job, due);
}

void delivery_engine::finish(
  delivery_job& job, close_outcome outcome, clock::time_point now) noexcept
{
  const bool claims = outcome == close_outcome::acknowledged
    || outcome == close_outcome::peer_closed;
  if (claims && job.unproven_)
    outcome = close_outcome::closed;
  if (job.watched_)
    edges_.remove(job.fd_);
  jobs_.remove(job);
  complete_report(job, outcome, now);
  settle(job, outcome);
}

// Leaves the descriptor as close(2) is to find it.
void delivery_engine::settle(delivery_job& job, close_outcome outcome) noexcept
{
  if (outcome == close_outcome::aborted)
    return calls::set_abortive(job.fd_);
  calls::clear_linger(job.fd_);
  // If the peer has not been given up, the kernel goes on as after any other close, for copies as well.
  if (outcome != close_outcome::timed_out)
    lift_limit(job);
}

void delivery_engine::complete_report(
  delivery_job& job, close_outcome outcome, clock::time_point now) noexcept
{
  close_report& r = job.report_;
  r.outcome = outcome;
  r.unacknowledged = data_in(r.unacknowledged, job.fin_queued_);
  const std::size_t unsent = r.unacknowledged ? unsent_bytes(job.fd_, job.kind_) : 0;
  // Looked at later, when less may have been left.
  r.unsent = std::min(data_in(unsent, job.fin_queued_), r.unacknowledged);
  r.duration = now - job.since_;
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
