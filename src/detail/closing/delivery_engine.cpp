// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/closing/delivery_engine.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>

#include <unistd.h>

#include <interlock/close_report.hpp>
#include <interlock/detail/descriptor/calls.hpp>
#include <interlock/detail/descriptor/cancellation_disabled.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

namespace {

using std::chrono::milliseconds;

/// Rounded up: who is woken a little early finds nothing to do, again and again.
int whole_milliseconds(delivery_job::clock::duration d) noexcept
{
  constexpr milliseconds most(std::numeric_limits<int>::max());
  if (d <= d.zero())
    return 0;
  return d >= most ? std::numeric_limits<int>::max()
                   : static_cast<int>(std::chrono::ceil<milliseconds>(d).count());
}

} // namespace

// --- From any thread.

bool delivery_engine::submit(
  delivery_job& job, int fd, const close_mode& mode, clock::time_point since) noexcept
{
  return enter(job, fd, mode, since, delivery_stage::fresh);
}

bool delivery_engine::drain(
  delivery_job& job, int fd, const close_mode& mode, clock::time_point since) noexcept
{
  return enter(job, fd, mode, since, delivery_stage::draining);
}

bool delivery_engine::enter(delivery_job& job, int fd, const close_mode& mode,
  clock::time_point since, delivery_stage first) noexcept
{
  const std::lock_guard<sys::mutex> lock(mutex_);
  if (stopped_)
    return false;
  job.want(mode, since);
  job.submitted_ = true;
  job.state_ = {first};
  job.taken_up_ = job.watched_ = job.fin_refused_ = job.retrying_ = false;
  job.limit_asked_ = job.limited_ = job.alive_ = job.fin_queued_ = false;
  job.end_read_ = job.input_left_ = job.input_more_ = false;
  job.fd_ = fd;
  job.error_ = 0;
  job.report_ = close_report();
  post(job);
  return true;
}

void delivery_engine::overtake(
  delivery_job& job, const close_mode& mode, clock::time_point since) noexcept
{
  const std::lock_guard<sys::mutex> lock(mutex_);
  if (!job.submitted_ || !stronger(mode.what(), job.demanded_))
    return;
  job.tighten(mode, since);
  if (!job.is_listed())
    post(job);
}

void delivery_engine::stop() noexcept
{
  const std::lock_guard<sys::mutex> lock(mutex_);
  stopped_ = true;
  wake();
}

void delivery_engine::post(delivery_job& job) noexcept
{
  posts_.push_back(job);
  wake();
}

// Not only while the thread sleeps in run_once: it may wait elsewhere, for the eventfd or for fd().
void delivery_engine::wake() noexcept
{
  if (signalled_)
    return;
  signalled_ = true;
  const cancellation_disabled disabled;
  const std::uint64_t one = 1;
  // Cannot fail: one wake-up of ours is outstanding at most.
  if (wake_event_ != no_descriptor && sys::write(wake_event_, &one, sizeof(one)) < 0)
    return;
}

// --- On the engine's thread.

bool delivery_engine::idle() noexcept
{
  const std::lock_guard<sys::mutex> lock(mutex_);
  return posts_.empty() && jobs_.empty();
}

delivery_engine::clock::time_point delivery_engine::next_deadline() noexcept
{
  {
    const std::lock_guard<sys::mutex> lock(mutex_);
    if (signalled_)
      return clock::time_point::min();
  }
  return jobs_.empty() ? clock::time_point::max() : jobs_.front()->due();
}

// No job of `tags` can be over before its turn: none has two edges, and nothing ends a job in the
// loop but its own.
void delivery_engine::run_once(clock::duration timeout) noexcept
{
  const auto deadline = next_deadline();
  if (deadline != clock::time_point::max())
    timeout = deadline == clock::time_point::min() ? timeout.zero()
                                                   : std::min(timeout, deadline - clock::now());
  void* tags[edge_set::most];
  const std::size_t count = edges_.wait(whole_milliseconds(timeout), tags);
  begin_round();
  const auto now = clock::now();
  for (std::size_t i = 0; i < count; ++i)
  {
    delivery_job& job = *static_cast<delivery_job*>(tags[i]);
    // sock_wfree() wakes us before it has taken the last of the memory out of the queue. Those who
    // write to a copy that is drained wake us, and nobody does for what they have sent.
    if (job.kind_ == transport::unix_stream || drains(job.state_))
      job.period_ = shortest_period;
    examine(job, now);
  }
  take_posts(now);
  run_due(now);
  if (stopped())
    end_all(now);
  end_round();
}

void delivery_engine::begin_round() noexcept
{
  const std::lock_guard<sys::mutex> lock(mutex_);
  in_round_ = true;
}

void delivery_engine::end_round() noexcept
{
  const std::lock_guard<sys::mutex> lock(mutex_);
  in_round_ = false;
  round_over_.notify_all();
}

bool delivery_engine::stopped() noexcept
{
  const std::lock_guard<sys::mutex> lock(mutex_);
  return stopped_;
}

void delivery_engine::take_posts(clock::time_point now) noexcept
{
  for (std::size_t left = turns; left; --left)
  {
    delivery_job* const job = take_post();
    if (!job)
      return;
    take_up(*job, now);
  }
}

// What has been signalled stays so until nothing is posted any more.
delivery_job* delivery_engine::take_post() noexcept
{
  const std::lock_guard<sys::mutex> lock(mutex_);
  delivery_job* const job = posts_.pop_front();
  if (!job)
  {
    signalled_ = false;
    return nullptr;
  }
  job->wanted_ = job->demanded_;
  return job;
}

void delivery_engine::take_up(delivery_job& job, clock::time_point now) noexcept
{
  if (!job.taken_up_)
  {
    job.taken_up_ = true;
    job.kind_ = transport_of(job.fd_);
    job.period_ = shortest_period;
    job.moved_ = now;
    jobs_.insert(job, job.until());
  }
  examine(job, now);
}

void delivery_engine::run_due(clock::time_point now) noexcept
{
  for (std::size_t left = turns; left && !jobs_.empty() && jobs_.front()->due() <= now; --left)
    examine(static_cast<delivery_job&>(*jobs_.front()), now);
}

void delivery_engine::end_all(clock::time_point now) noexcept
{
  while (delivery_job* job = take_post())
    take_up(*job, now);
  while (!jobs_.empty())
  {
    auto& job = static_cast<delivery_job&>(*jobs_.front());
    job.wanted_ = close_mode::kind::immediate; // none that is to be aborted is still there
    examine(job, now);
  }
}

// The job may be gone when this returns.
void delivery_engine::examine(delivery_job& job, clock::time_point now) noexcept
{
  const delivery_observation o = observe(job, now);
  const delivery_step step = advance(job.state_, o, job.wanted_);
  if (step.act == delivery_act::report)
    return finish(job, step.next.outcome, now);
  if (step.act == delivery_act::send_fin)
    return begin(job, step.next, now);
  job.state_ = step.next;
  limit_kernel(job, now);
  watch(job);
  schedule(job, now);
}

// Looks again at once: on loopback the acknowledgement may be there.
void delivery_engine::begin(
  delivery_job& job, const delivery_state& flushing, clock::time_point now) noexcept
{
  job.fin_refused_ = !send_fin(job.fd_);
  if (!job.fin_refused_)
  {
    job.state_ = flushing;
    job.fin_queued_ = job.kind_ == transport::tcp;
  }
  examine(job, now);
}

delivery_observation delivery_engine::observe(delivery_job& job, clock::time_point now) noexcept
{
  job.input_more_ = false;
  // Before our FIN there may be no connection to read from, or somebody else reads from it.
  if (job.wanted_ == close_mode::kind::graceful && has_sent_fin(job.state_))
    discard(job, now);
  const socket_facts facts = drains(job.state_) ? look_and_leave(job.fd_, job.kind_)
                                                : look(job.fd_, job.kind_, job.error_);
  note(job, facts, now);

  delivery_observation o;
  o.sight = sight_of(facts);
  o.drained = drained(facts, job.alive_);
  o.peer_finished = peer_finished(facts, job.end_read_);
  o.input_left = job.input_left_;
  o.fin_refused = job.fin_refused_;
  o.stalled = now - job.moved_ >= job.progress_timeout_;
  o.expired = now >= job.until();
  return o;
}

void delivery_engine::note(
  delivery_job& job, const socket_facts& facts, clock::time_point now) noexcept
{
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
// from the first unanswered segment. Nothing is set on what a copy may go on with.
void delivery_engine::limit_kernel(delivery_job& job, clock::time_point now) noexcept
{
  if (job.limit_asked_)
    return;
  job.limit_asked_ = true;
  const int left = whole_milliseconds(job.until() - now);
  if (job.kind_ != transport::tcp || drains(job.state_) || job.retrying_ || left == 0)
    return;
  job.retry_limit_ = limit_retrying(job.fd_, static_cast<unsigned>(left));
  job.limited_ = true;
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
  job.period_ = std::min<milliseconds>(2 * job.period_, longest_period);
  due = std::min(due, job.until());
  if (job.progress_timeout_ < close_mode::longest_timeout())
    due = std::min(due, job.moved_ + job.progress_timeout_);
  jobs_.update(job, due);
}

void delivery_engine::finish(
  delivery_job& job, close_outcome outcome, clock::time_point now) noexcept
{
  if (job.watched_)
    edges_.remove(job.fd_);
  complete_report(job, outcome, now);
  settle(job, outcome);
  hand_back(job);
}

void delivery_engine::hand_back(delivery_job& job) noexcept
{
  if (job.taken_up_)
    jobs_.remove(job);
  {
    const std::lock_guard<sys::mutex> lock(mutex_);
    job.submitted_ = false;
    job.unlist();
  }
  job.delivered();
}

// Leaves the descriptor as close(2) is to find it.
void delivery_engine::settle(const delivery_job& job, close_outcome outcome) noexcept
{
  if (outcome == close_outcome::aborted)
    return calls::set_abortive(job.fd_);
  calls::clear_linger(job.fd_);
  // Nobody has given the peer up: the kernel goes on as after any other close.
  if (outcome == close_outcome::closed && job.limited_)
    restore_retrying(job.fd_, job.retry_limit_);
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

// --- fork(2).

void delivery_engine::prepare_fork() noexcept
{
  fork_lock_.lock();
  round_over_.wait_for(fork_lock_, fork_wait, [this] { return !in_round_; });
}

void delivery_engine::resume_after_fork() noexcept
{
  fork_lock_.unlock();
}

// A round that was not over by the time of the fork is long in `delivered`, of a job that the engine
// knows no more: what it does know is whole.
void delivery_engine::adopt_after_fork(int wake_event) noexcept
{
  if (!fork_lock_.owns_lock())
    fork_lock_.lock();
  wake_event_ = wake_event;
  edges_.abandon(wake_event);
  in_round_ = false;
  fork_lock_.unlock();
  const auto now = clock::now();
  const auto forget = [&](delivery_job& job)
  {
    job.report_ = close_report();
    job.report_.duration = now - job.since_;
    hand_back(job);
  };
  while (delivery_job* job = take_post())
    forget(*job);
  while (!jobs_.empty())
    forget(static_cast<delivery_job&>(*jobs_.front()));
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
