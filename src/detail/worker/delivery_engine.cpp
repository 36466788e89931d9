// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/worker/delivery_engine.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>

#include <unistd.h>

#include <interlock/detail/number/calls.hpp>

namespace interlock
{
inline namespace abi_0
{
namespace detail
{

namespace
{

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

/// A point in time that is never so far away that it wraps.
delivery_job::clock::time_point later(
  delivery_job::clock::time_point t, close_mode::duration d) noexcept
{
  return t + std::clamp(d, close_mode::duration::zero(), close_mode::longest_timeout());
}

} // namespace

// --- From any thread.

bool delivery_engine::submit(
  delivery_job& job, int number, const close_mode& mode, clock::time_point since) noexcept
{
  const std::lock_guard<std::mutex> lock(mutex_);
  if (stopped_)
    return false;
  job.demanded_ = mode.what();
  job.demanded_until_ = later(since, mode.timeout());
  job.submitted_ = true;
  job.state_ = delivery_state();
  job.taken_up_ = job.watched_ = job.fin_refused_ = job.retrying_ = job.limited_ = false;
  job.end_read_ = job.input_left_ = job.input_more_ = false;
  job.number_ = number;
  job.error_ = 0;
  job.queued_ = 0;
  job.discarded_ = 0;
  job.discard_limit_ = mode.discard_limit();
  job.progress_timeout_ = mode.progress_timeout();
  job.since_ = since;
  post(job);
  return true;
}

void delivery_engine::overtake(
  delivery_job& job, const close_mode& mode, clock::time_point since) noexcept
{
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!job.submitted_ || !stronger(mode.what(), job.demanded_))
    return;
  job.demanded_ = mode.what();
  if (mode.delivers())
    job.demanded_until_ = std::min(job.demanded_until_, later(since, mode.timeout()));
  if (job.alone())
    post(job);
}

void delivery_engine::stop() noexcept
{
  const std::lock_guard<std::mutex> lock(mutex_);
  stopped_ = true;
  wake();
}

void delivery_engine::post(delivery_job& job) noexcept
{
  posts_.append(job);
  wake();
}

// Not only while the thread sleeps in run_once: it may wait elsewhere, for the eventfd or for fd().
void delivery_engine::wake() noexcept
{
  if (signalled_)
    return;
  signalled_ = true;
  const std::uint64_t one = 1;
  // Cannot fail: one wake-up of ours is outstanding at most.
  if (wake_event_ != no_number && ::write(wake_event_, &one, sizeof(one)) < 0)
    return;
}

// --- On the engine's thread.

bool delivery_engine::idle() noexcept
{
  const std::lock_guard<std::mutex> lock(mutex_);
  return posts_.alone() && jobs_.empty();
}

// No job of `tags` can be over before its turn: none has two edges, and nothing ends a job in the
// loop but its own.
void delivery_engine::run_once(clock::duration timeout) noexcept
{
  void* tags[edge_set::most];
  const std::size_t count = edges_.wait(sleep_time(timeout), tags);
  const auto now = clock::now();
  for (std::size_t i = 0; i < count; ++i)
  {
    delivery_job& job = *static_cast<delivery_job*>(tags[i]);
    // sock_wfree() wakes us before it has taken the last of the memory out of the queue.
    if (job.kind_ == transport::unix_stream)
      job.period_ = shortest_period;
    examine(job, now);
  }
  if (take_posts(now))
    end_all(now);
  else
    run_due(now);
}

int delivery_engine::sleep_time(clock::duration timeout) noexcept
{
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (signalled_)
      return 0;
  }
  if (jobs_.empty())
    return whole_milliseconds(timeout);
  return whole_milliseconds(std::min(timeout, jobs_.front()->due() - clock::now()));
}

// What is posted from here on waits for the next round, so that no stream of submits keeps the others
// waiting. Returns whether the engine has been stopped.
bool delivery_engine::take_posts(clock::time_point now) noexcept
{
  ring_link posts;
  bool stopped = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    posts.take_over(posts_);
    signalled_ = false;
    stopped = stopped_;
  }
  while (delivery_job* job = take_post(posts))
    take_up(*job, now);
  return stopped;
}

// Each under the lock: another thread may look whether a job is posted.
delivery_job* delivery_engine::take_post(ring_link& posts) noexcept
{
  const std::lock_guard<std::mutex> lock(mutex_);
  if (posts.alone())
    return nullptr;
  auto* job = static_cast<delivery_job*>(posts.next());
  job->leave();
  job->wanted_ = job->demanded_;
  job->until_ = job->demanded_until_;
  return job;
}

void delivery_engine::take_up(delivery_job& job, clock::time_point now) noexcept
{
  if (!job.taken_up_)
  {
    job.taken_up_ = true;
    job.kind_ = transport_of(job.number_);
    job.period_ = shortest_period;
    job.moved_ = now;
    jobs_.insert(job, job.until_);
  }
  examine(job, now);
}

void delivery_engine::run_due(clock::time_point now) noexcept
{
  while (!jobs_.empty() && jobs_.front()->due() <= now)
    examine(static_cast<delivery_job&>(*jobs_.front()), now);
}

void delivery_engine::end_all(clock::time_point now) noexcept
{
  while (!jobs_.empty())
  {
    auto& job = static_cast<delivery_job&>(*jobs_.front());
    job.wanted_ = std::min(job.wanted_, close_mode::kind::immediate);
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
  if (step.next.stage != job.state_.stage)
    job.moved_ = now;
  job.state_ = step.next;
  watch(job);
  schedule(job, now);
}

// Looks again at once: on loopback the acknowledgement may be there.
void delivery_engine::begin(
  delivery_job& job, const delivery_state& flushing, clock::time_point now) noexcept
{
  job.fin_refused_ = !send_fin(job.number_);
  if (!job.fin_refused_)
    job.state_ = flushing;
  // A peer that had kept the kernel waiting before would be given up before our time is over.
  const auto left = std::chrono::floor<milliseconds>(job.until_ - now);
  if (job.kind_ == transport::tcp && !job.retrying_ && left.count() > 0)
  {
    job.retry_limit_ = limit_retrying(job.number_, static_cast<unsigned>(whole_milliseconds(left)));
    job.limited_ = true;
  }
  examine(job, now);
}

delivery_observation delivery_engine::observe(delivery_job& job, clock::time_point now) noexcept
{
  job.input_more_ = false;
  // Before our FIN there may be no connection to read from.
  if (job.wanted_ == close_mode::kind::graceful && job.state_.stage != delivery_stage::fresh)
    discard(job, now);
  const socket_facts facts = look(job.number_, job.kind_, job.error_);
  job.error_ = facts.error;
  job.retrying_ = facts.retrying;
  if (facts.queued < job.queued_)
    job.moved_ = now;
  job.queued_ = facts.queued;

  delivery_observation o;
  o.sight = sight_of(facts);
  o.peer_finished = peer_finished(facts, job.end_read_);
  o.input_left = job.input_left_;
  o.fin_refused = job.fin_refused_;
  o.stalled = now - job.moved_ >= job.progress_timeout_;
  o.expired = now >= job.until_;
  return o;
}

void delivery_engine::discard(delivery_job& job, clock::time_point now) noexcept
{
  if (job.input_left_ || job.end_read_)
    return;
  const std::uint64_t room = job.discard_limit_ - job.discarded_;
  const discarded_input input = room == 0
    ? examine_input(job.number_)
    : discard_input(job.number_, job.kind_, std::min(room, discard_at_once));
  job.discarded_ += input.bytes;
  job.end_read_ = input.ended;
  job.input_more_ = input.more && room != 0;
  job.input_left_ = input.error != 0 || (input.more && room == 0);
  if (input.error)
    job.error_ = input.error;
  // Until the acknowledgement only what the peer takes is progress, not what it sends.
  if (input.bytes != 0 && job.state_.stage == delivery_stage::acknowledged)
    job.moved_ = now;
}

// After a first look, which may be all that is needed: what has happened in between is an edge all the
// same, since the set tells the state of a newcomer.
void delivery_engine::watch(delivery_job& job) noexcept
{
  if (job.watched_ || watching_ == watching::never || !edges_.open())
    return;
  job.watched_ = edges_.add(job.number_, job.wanted_ == close_mode::kind::graceful, &job);
  if (job.watched_ && job.kind_ == transport::tcp)
    job.period_ = longest_period;
}

// Always after `now`: what is due is looked at once a round. Each of the limits still lies ahead, or
// the job would be over.
void delivery_engine::schedule(delivery_job& job, clock::time_point now) noexcept
{
  auto due = now + (job.input_more_ ? clock::duration(1) : job.period_);
  job.period_ = std::min<close_mode::duration>(2 * job.period_, longest_period);
  due = std::min(due, job.until_);
  if (job.progress_timeout_ < close_mode::longest_timeout())
    due = std::min(due, job.moved_ + job.progress_timeout_);
  jobs_.update(job, due);
}

void delivery_engine::finish(
  delivery_job& job, close_outcome outcome, clock::time_point now) noexcept
{
  if (job.watched_)
    edges_.remove(job.number_);
  jobs_.remove(job);
  const close_report report = report_of(job, outcome, now);
  settle(job, outcome);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    job.submitted_ = false;
    job.leave();
  }
  job.delivered(report);
}

// Leaves the number as close(2) is to find it.
void delivery_engine::settle(const delivery_job& job, close_outcome outcome) noexcept
{
  if (outcome == close_outcome::aborted)
    return calls::set_abortive(job.number_);
  calls::clear_linger(job.number_);
  // Nobody has given the peer up: the kernel goes on as after any other close.
  if (outcome == close_outcome::closed && job.limited_)
    restore_retrying(job.number_, job.retry_limit_);
}

close_report delivery_engine::report_of(
  const delivery_job& job, close_outcome outcome, clock::time_point now) noexcept
{
  close_report r;
  r.outcome = outcome;
  r.unacknowledged = data_in(job.queued_, job.kind_, job.state_);
  const std::size_t unsent = r.unacknowledged ? unsent_bytes(job.number_, job.kind_) : 0;
  // Looked at later, when less may have been left.
  r.unsent = std::min(data_in(unsent, job.kind_, job.state_), r.unacknowledged);
  r.discarded = job.discarded_;
  r.duration = now - job.since_;
  return r;
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
