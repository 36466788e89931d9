// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The part of the worker that waits before it closes: for writes that run to their end, and for the
// peers of connections.

#include <algorithm>
#include <mutex>
#include <new>

#include <interlock/detail/closing/close_worker.hpp>
#include <interlock/detail/descriptor/calls.hpp>

namespace interlock
{
inline namespace abi_0
{
namespace detail
{

using clock = close_job::clock;

// --- The plan and the job.

close_plan::close_plan(const close_mode& mode, clock::time_point since) noexcept
{
  want(mode, since);
}

void close_plan::delivered() noexcept
{
  delivered_->push_back(*job_);
}

close_mode close_plan::mode() const noexcept
{
  using kind = close_mode::kind;
  const auto timeout = until() - since_;
  close_mode m = demanded_ == kind::graceful ? close_mode::graceful(timeout)
    : demanded_ == kind::deliver             ? close_mode::deliver(timeout)
    : demanded_ == kind::immediate           ? close_mode::immediate()
                                             : close_mode::abort();
  return m.progress_timeout(progress_timeout_).discard_limit(discard_limit_);
}

close_report close_job::report() const noexcept
{
  if (plan_)
    return plan_->report();
  close_report r;
  r.outcome = outcome_of(request(), place());
  return r;
}

close_request close_job::request() const noexcept
{
  close_request w = request_;
  if (plan_)
  {
    w.lead = lead_.load(std::memory_order_relaxed);
    w.planned = plan_->demanded_;
  }
  return w;
}

// What the parent has closed has not been closed as a copy.
close_circumstances close_job::place() const noexcept
{
  close_circumstances p;
  p.has_descriptor = fd_ != no_descriptor;
  p.is_copy = copied_ && !gone_;
  p.is_delivered = stage_ == stage::delivered;
  return p;
}

// --- What is demanded.

void close_worker::demand(close_job& job, const close_mode& mode, close_plan_pointer plan) noexcept
{
  const std::lock_guard<std::mutex> lock(mutex_);
  if (job.stage_ >= close_job::stage::delivered)
    return;
  job.request_.abortive |= mode.what() == close_mode::kind::abort;
  job.request_.prompt |= !mode.delivers();
  if (!job.plan_)
    job.plan_ = std::move(plan);
  else if (stronger(mode.what(), job.plan_->demanded_))
    tighten(job, mode);
}

void close_worker::demand_plainly(close_job& job) noexcept
{
  const std::lock_guard<std::mutex> lock(mutex_);
  // Served by now: what has been asked for is looked at without the mutex.
  if (job.stage_ >= close_job::stage::delivered)
    return;
  // He may come before the plan of the one who leads.
  job.request_.joined_plainly = true;
  if (job.stage_ == close_job::stage::delivering && !job.request_.linger.waits())
    tighten(job, close_mode::immediate());
}

// One that does not wait is due from the start: no write is waited for either.
void close_worker::tighten(close_job& job, const close_mode& mode) noexcept
{
  const auto now = clock::now();
  close_plan& plan = *job.plan_;
  if (job.stage_ == close_job::stage::delivering)
    engine_->overtake(plan, mode, now);
  else if (mode.delivers())
    plan.tighten(mode, now);
  else
    plan.want(mode, plan.since_);
  if (plan.flushing_)
    schedule_flush(plan, now);
}

close_circumstances close_worker::circumstances_of(const close_job& job) const noexcept
{
  close_circumstances p = job.place();
  p.in_hurry = hurried_;
  return p;
}

// --- Writes that run to their end.

bool close_worker::watch_flush(close_job& job) noexcept
{
  const std::lock_guard<std::mutex> lock(mutex_);
  // Submitted in the meantime: the last write is over.
  if (job.stage_ != close_job::stage::idle)
    return true;
  if (!ready())
    return false;
  close_plan& plan = *job.plan_;
  plan.job_ = &job;
  plan.flush_steps_ = job.flush_steps();
  plan.flushing_ = true;
  flushes_.insert(plan, clock::time_point::max());
  schedule_flush(plan, clock::now());
  return true;
}

void close_worker::schedule_flush(close_plan& plan, clock::time_point now) noexcept
{
  auto due = plan.until();
  if (plan.progress_timeout_ < close_mode::longest_timeout())
    due = std::min(due, now + plan.progress_timeout_);
  flushes_.update(plan, due);
  if (flushes_.front() == &plan)
    wake_if_asleep();
}

void close_worker::end_flush(close_job& job) noexcept
{
  if (!job.plan_ || !job.plan_->flushing_)
    return;
  job.plan_->flushing_ = false;
  flushes_.remove(*job.plan_);
}

// Writes are further when the next of a chain has begun, or the kernel has got rid of something. Unlocks
// meanwhile; false as well if the flush is over by then.
bool close_worker::is_stalled(std::unique_lock<std::mutex>& lock, close_job& job) noexcept
{
  close_plan& plan = *job.plan_;
  int queue = 0;
  unlocked(lock, [&] { queue = job.flush_queue(); });
  const unsigned steps = job.flush_steps();
  const bool moved = steps != plan.flush_steps_ || queue != plan.flush_queue_;
  plan.flush_steps_ = steps;
  plan.flush_queue_ = queue;
  return plan.flushing_ && !moved;
}

// What is left of the delivery is as late as the flush.
void close_worker::cut_flush(
  std::unique_lock<std::mutex>& lock, close_job& job, clock::time_point now) noexcept
{
  end_flush(job);
  job.plan_->until_ = std::min(job.plan_->until(), now);
  unlocked(lock, [&job] { job.expired(); });
}

void close_worker::run_flushes(std::unique_lock<std::mutex>& lock) noexcept
{
  const auto now = clock::now();
  while (!flushes_.empty() && (stopped_ || flushes_.front()->due() <= now))
  {
    auto& plan = static_cast<close_plan&>(*flushes_.front());
    close_job& job = *plan.job_;
    job.keep_memory();
    const bool over = stopped_ || now >= plan.until() || is_stalled(lock, job);
    if (over && plan.flushing_)
      cut_flush(lock, job, now);
    else if (plan.flushing_)
      schedule_flush(plan, now);
    unlocked(lock, [&job] { job.drop_memory(); });
  }
}

// --- Peers.

// Whether the descriptor has to wait before it is closed. Unlocks meanwhile, if SO_LINGER has to be looked
// at: on the descriptor it may have been set by anybody, or inherited from a listener.
bool close_worker::waits(std::unique_lock<std::mutex>& lock, close_job& job) noexcept
{
  close_step step = next_step(job.request(), circumstances_of(job));
  if (step == close_step::look_at_linger)
  {
    look_at_linger(lock, job);
    step = next_step(job.request(), circumstances_of(job));
  }
  const bool is_to_wait = step == close_step::deliver || step == close_step::drain;
  return is_to_wait && begins_delivery(job, step);
}

void close_worker::look_at_linger(std::unique_lock<std::mutex>& lock, close_job& job) noexcept
{
  linger_setting found = linger_setting::off();
  unlocked(lock, job, [&] { found = calls::linger_time(job.fd_); });
  job.request_.linger = found;
}

bool close_worker::begins_delivery(close_job& job, close_step how) noexcept
{
  const close_request request = job.request();
  const bool is_planned = request.lead != close_lead::nobody;
  const close_mode way = is_planned ? job.plan_->mode() : lingering_mode(request.linger.seconds());
  // Without memory the kernel goes on sending all the same, and nobody waits for it.
  if (!job.plan_)
    job.plan_.reset(new (std::nothrow) close_plan(way));
  if (!job.plan_)
    return false;
  close_plan& plan = *job.plan_;
  plan.job_ = &job;
  plan.delivered_ = &delivered_;
  const auto since = is_planned ? plan.since_ : clock::now();
  const bool begun = how == close_step::deliver ? engine_->submit(plan, job.fd_, way, since)
                                                : engine_->drain(plan, job.fd_, way, since);
  if (!begun)
    return false;
  job.lingered_ = request.linger.waits();
  job.stage_ = close_job::stage::delivering;
  return true;
}

// Of a close that has waited for nobody.
void close_worker::write_report(close_job& job) noexcept
{
  if (!job.plan_)
    return;
  close_report& r = job.plan_->report_;
  r.outcome = outcome_of(job.request(), job.place());
  r.duration = clock::now() - job.plan_->since_;
}

// Unlocks meanwhile.
void close_worker::deliver(std::unique_lock<std::mutex>& lock, clock::duration timeout) noexcept
{
  delivering_ = true;
  lock.unlock();
  engine_->run_once(timeout);
  lock.lock();
  wait_out_fork(lock);
  delivering_ = false;
  queue_delivered();
}

void close_worker::queue_delivered() noexcept
{
  while (close_job* job = delivered_.pop_front())
  {
    job->stage_ = close_job::stage::delivered;
    ++queued_count_;
    closes_.push_back(*job);
  }
}

// After stop: each of them is over when the engine is next run. Somebody else may be doing it.
void close_worker::end_deliveries(std::unique_lock<std::mutex>& lock) noexcept
{
  if (engine_ && !delivering_ && !engine_->idle())
    deliver(lock, clock::duration::zero());
}

// In a forked child: the parent goes on with the connections.
void close_worker::abandon_deliveries() noexcept
{
  if (engine_)
    engine_->adopt_after_fork(no_descriptor);
  engine_.reset();
  delivering_ = false;
  queue_delivered();
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
