// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The part of the worker that waits before it closes: for writes that run to their end, and for the
// peers of connections.

#include <algorithm>
#include <mutex>
#include <new>

#include <interlock/detail/number/calls.hpp>
#include <interlock/detail/worker/close_worker.hpp>

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
  if (number_ == no_number)
    r.outcome = close_outcome::detached;
  else if (linger_ == 0 || (abortive_ && linger_ != never_lingers))
    r.outcome = close_outcome::aborted;
  return r;
}

// --- What is demanded.

void close_worker::demand(close_job& job, const close_mode& mode, close_plan_pointer plan) noexcept
{
  const std::lock_guard<std::mutex> lock(mutex_);
  if (job.stage_ >= close_job::stage::delivered)
    return;
  job.abortive_ |= mode.what() == close_mode::kind::abort;
  job.prompt_ |= !mode.delivers();
  if (!job.plan_)
    job.plan_ = std::move(plan);
  else if (stronger(mode.what(), job.plan_->demanded_))
    tighten(job, mode);
}

void close_worker::demand_plainly(close_job& job) noexcept
{
  const std::lock_guard<std::mutex> lock(mutex_);
  // He may come before the plan of the one who leads.
  job.joined_plainly_ = true;
  if (job.stage_ == close_job::stage::delivering && job.linger_ <= 0)
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

// What has been asked for counts, unless somebody closes it who has not asked for anything.
close_mode close_worker::way_of(const close_job& job) noexcept
{
  if (job.abortive_)
    return close_mode::abort();
  if (job.prompt_)
    return close_mode::immediate();
  if (is_as_planned(job))
  {
    const bool is_cut_short = job.joined_plainly_ && job.linger_ <= 0;
    const close_mode planned = job.plan_->mode();
    return is_cut_short && planned.delivers() ? close_mode::immediate() : planned;
  }
  return job.linger_ >= 0 ? lingering_mode(job.linger_) : close_mode::immediate();
}

bool close_worker::is_as_planned(const close_job& job) noexcept
{
  return job.plan_ && job.lead_.load(std::memory_order_relaxed) != close_job::lead::nobody;
}

bool close_worker::is_by_mode(const close_job& job) noexcept
{
  return job.plan_ && job.lead_.load(std::memory_order_relaxed) == close_job::lead::plan;
}

bool close_worker::may_wait(const close_job& job) const noexcept
{
  return !hurried_ && !job.copied_ && job.number_ != no_number
    && job.stage_ != close_job::stage::delivered;
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
    job.hold();
    const bool over = stopped_ || now >= plan.until() || is_stalled(lock, job);
    if (over && plan.flushing_)
      cut_flush(lock, job, now);
    else if (plan.flushing_)
      schedule_flush(plan, now);
    unlocked(lock, [&job] { job.let_go(); });
  }
}

// --- Peers.

bool close_worker::begins_delivery(close_job& job) noexcept
{
  const close_mode way = way_of(job);
  if (!may_wait(job) || !way.delivers())
    return false;
  const bool is_asked_for = is_as_planned(job);
  const bool sends_fin = is_by_mode(job);
  // Without memory the kernel goes on sending all the same, and nobody waits for it.
  if (!job.plan_)
    job.plan_.reset(new (std::nothrow) close_plan(way));
  if (!job.plan_)
    return false;
  close_plan& plan = *job.plan_;
  plan.job_ = &job;
  plan.delivered_ = &delivered_;
  const auto since = is_asked_for ? plan.since_ : clock::now();
  const bool begun = sends_fin ? engine_->submit(plan, job.number_, way, since)
                               : engine_->drain(plan, job.number_, way, since);
  if (!begun)
    return false;
  job.lingered_ = job.linger_ > 0;
  job.stage_ = close_job::stage::delivering;
  return true;
}

// Whether SO_LINGER, set on the number or inherited from a listener, asks for a delivery. Unlocks
// meanwhile.
bool close_worker::lingers(std::unique_lock<std::mutex>& lock, close_job& job) noexcept
{
  const bool is_plain = !job.abortive_ && !job.prompt_ && !is_as_planned(job);
  if (!is_plain || !may_wait(job) || job.linger_ != lingers_as_told)
    return false;
  int seconds = -1;
  in_hand_.push_back(job);
  unlocked(lock, [&] { seconds = calls::linger_time(job.number_); });
  in_hand_.remove(job);
  if (seconds < 0)
    return false;
  job.linger_ = seconds;
  return begins_delivery(job);
}

close_worker::ending close_worker::ending_of(const close_job& job) const noexcept
{
  if (job.copied_)
    return ending::plain;
  if (job.stage_ == close_job::stage::delivered)
    return job.abortive_ ? ending::abortive : ending::plain;
  const close_mode way = way_of(job);
  if (way.what() == close_mode::kind::abort)
    return ending::abortive;
  const bool promptly = hurried_ || job.prompt_ || is_as_planned(job) || way.delivers();
  return promptly ? ending::prompt : ending::plain;
}

// Of a close that has waited for nobody.
void close_worker::write_report(close_job& job, ending how) noexcept
{
  if (!job.plan_)
    return;
  close_report& r = job.plan_->report_;
  r.outcome = job.number_ == no_number                        ? close_outcome::detached
    : how == ending::abortive && job.linger_ != never_lingers ? close_outcome::aborted
                                                              : close_outcome::closed;
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
    engine_->adopt_after_fork(no_number);
  engine_.reset();
  delivering_ = false;
  queue_delivered();
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
