// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/closing/close_worker.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <interlock/detail/closing/close_place.hpp>
#include <interlock/detail/closing/signals_blocked.hpp>
#include <interlock/detail/descriptor/calls.hpp>
#include <interlock/detail/descriptor/cancellation_disabled.hpp>
#include <interlock/detail/descriptor/close_descriptor.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

close_worker::~close_worker()
{
  if (wake_event_ >= 0)
    close_descriptor(wake_event_);
}

void close_worker::submit(close_job& job, const detached_descriptor& d) noexcept
{
  std::unique_lock<sys::mutex> lock(mutex_);
  if (job.stage_ == close_job::stage::watched)
    watches_.remove(job);
  end_flush(job);
  job.stage_ = close_job::stage::queued;
  job.fd_ = d.fd;
  job.kind_ = d.kind;
  job.request_.linger = d.linger;
  if (d.at_once && close_at_once(lock, job))
    return;
  ++queued_count_;
  if (!ready())
    return close_inline(lock, job);
  closes_.push_back(job);
  wake_if_asleep();
}

// Unlocks meanwhile. The job may be gone when this returns true.
bool close_worker::close_at_once(std::unique_lock<sys::mutex>& lock, close_job& job) noexcept
{
  if (waits_for_peer(next_step(job.request(), circumstances_of(job))))
    return false;
  if (job.fd_ != no_descriptor && can_block(lock, job))
    return false;
  const close_step step = settled_step(lock, job);
  if (waits_for_peer(step))
    return false;
  close_now(lock, job, step);
  return true;
}

// Unlocks meanwhile, if the system has to be asked.
bool close_worker::can_block(std::unique_lock<sys::mutex>& lock, close_job& job) noexcept
{
  bool has_unread = false;
  if (job.kind_ == descriptor_kind::unknown)
  {
    unlocked(lock, job, [&job] { job.kind_ = kind_of(job.fd_); });
    // Whatever the object is, close(2) of what it was given waits for SO_LINGER.
    if (job.kind_ == descriptor_kind::tcp && !job.request_.linger.is_supported())
      job.request_.linger = linger_setting::unknown();
  }
  if (job.kind_ == descriptor_kind::unix_socket)
    unlocked(lock, job, [&] { has_unread = may_hold_descriptors(job.fd_); });
  return place_of(job.kind_, has_unread, false) != close_place::here;
}

void close_worker::close_inline(std::unique_lock<sys::mutex>& lock, close_job& job) noexcept
{
  in_hand_.push_back(job);
  wait_out_fork(lock);
  in_hand_.remove(job);
  close_circumstances here = job.circumstances();
  here.in_hurry = true;
  close_now(lock, job, last_step(job.request(), here));
  ++closed_count_;
}

bool close_worker::watch(close_job& job) noexcept
{
  const std::lock_guard<sys::mutex> lock(mutex_);
  // Submitted in the meantime: what was to be watched for has happened.
  if (job.stage_ != close_job::stage::idle)
    return true;
  if (!ready())
    return false;
  add_watch(job, close_job::stage::watched);
  return true;
}

bool close_worker::watch_again(close_job& job) noexcept
{
  const std::lock_guard<sys::mutex> lock(mutex_);
  if (!ready())
    return false;
  add_watch(job, close_job::stage::watched_after_close);
  return true;
}

void close_worker::add_watch(close_job& job, close_job::stage s) noexcept
{
  job.stage_ = s;
  job.deadline_ = close_job::clock::now() + options_.watch_time;
  watches_.push_back(job);
  // Asleep without a deadline, or with one that comes no later than this: only the first watch has
  // to be told.
  if (watches_.front() == &job)
    wake_if_asleep();
}

void close_worker::stop(std::chrono::milliseconds bound) noexcept
{
  std::unique_lock<sys::mutex> lock(mutex_);
  const bool waited_for = stopped_;
  hurried_ = stopped_ = true;
  if (engine_)
    engine_->stop();
  wake_if_asleep();
  if (!waited_for)
    left_.wait_for(lock, bound, [this] { return !running_; });
  // The thread, if it is still there, is blocked in one close(2): what waits behind it is done
  // here.
  run_the_rest(lock);
}

bool close_worker::start() noexcept
{
  if (wake_event_ < 0)
    wake_event_ = sys::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_event_ < 0)
    return false;
  if (!engine_)
    engine_.emplace(wake_event_);
  try
  {
    const signals_blocked blocked;
    // The thread shares in the worker: it may be left behind by stop, and outlive its owner.
    auto body = [self = shared_from_this()] { self->run(); };
    if (options_.thread_factory)
      options_.thread_factory(std::move(body));
    else
      sys::thread(std::move(body)).detach();
    running_ = true;
  }
  catch (...)
  {
    // There is none to be had now.
  }
  return running_;
}

void close_worker::wake_if_asleep() noexcept
{
  if (!asleep_)
    return;
  asleep_ = false;
  const cancellation_disabled disabled;
  const std::uint64_t one = 1;
  // Cannot fail: at most one wake-up is outstanding.
  if (sys::write(wake_event_, &one, sizeof(one)) < 0)
    return;
}

void close_worker::run() noexcept
{
  // A thread of the user's may not have inherited this.
  const signals_blocked blocked;
  const cancellation_disabled disabled;
#if defined(__linux__)
  sys::pthread_setname_np(::pthread_self(), "interlock");
#endif
  std::unique_lock<sys::mutex> lock(mutex_);
  wait_out_fork(lock);
  while (!stopped_)
  {
    run_closes(lock, turns);
    run_watches(lock);
    run_flushes(lock);
    sleep(lock);
  }
  run_the_rest(lock);
  running_ = false;
  left_.notify_all();
}

// After stop, when all are due. What has waited for writes or for a peer is queued then.
void close_worker::run_the_rest(std::unique_lock<sys::mutex>& lock) noexcept
{
  run_watches(lock);
  run_flushes(lock);
  end_deliveries(lock);
  run_closes(lock, std::numeric_limits<std::size_t>::max());
}

// No more than `most`: who floods the worker must not keep deliveries and deadlines waiting.
void close_worker::run_closes(std::unique_lock<sys::mutex>& lock, std::size_t most) noexcept
{
  for (; most != 0; --most)
  {
    close_job* const job = closes_.pop_front();
    if (!job)
      return;
    if (!waits(lock, *job))
      close_now(lock, *job, last_step(job->request(), circumstances_of(*job)));
    ++closed_count_;
  }
}

void close_worker::run_watches(std::unique_lock<sys::mutex>& lock) noexcept
{
  const auto now = close_job::clock::now();
  while (!watches_.empty() && (stopped_ || watches_.front()->deadline_ <= now))
  {
    close_job* job = watches_.pop_front();
    const bool is_open = job->stage_ == close_job::stage::watched;
    job->stage_ = is_open ? close_job::stage::idle : close_job::stage::closed;
    expire(lock, *job, is_open ? &close_job::expired : &close_job::retry);
  }
}

// Unlocks meanwhile. The job may be gone when this returns: after stop it is closed by whoever submits
// it, which is now.
void close_worker::expire(
  std::unique_lock<sys::mutex>& lock, close_job& job, void (close_job::*how)()) noexcept
{
  job.keep_memory();
  unlocked(lock,
    [&job, how]
    {
      (job.*how)();
      job.drop_memory();
    });
}

// Time-out and wake-up are the same here: the lists say what there is to do.
void close_worker::sleep(std::unique_lock<sys::mutex>& lock) noexcept
{
  if (stopped_)
    return;
  if (!closes_.empty())
    return deliver(lock, close_job::clock::duration::zero());
  asleep_ = true;
  const auto next = next_deadline();
  const bool for_ever = next == close_job::clock::time_point::max();
  deliver(lock, for_ever ? close_job::clock::duration::max() : next - close_job::clock::now());
  asleep_ = false;
}

// Unlocks meanwhile. The job may be gone when this returns.
void close_worker::close_now(
  std::unique_lock<sys::mutex>& lock, close_job& job, close_step how) noexcept
{
  if (job.stage_ != close_job::stage::delivered)
    job.write_report();
  job.stage_ = close_job::stage::closed;
  if (job.fd_ != no_descriptor && !job.gone_)
    unlocked(lock, job, [&job, how] { job.error_ = close_prepared(job.fd_, how); });
  unlocked(lock, [&job] { job.closed(); });
}

int close_worker::close_prepared(int fd, close_step how) noexcept
{
  if (how == close_step::close_abortively)
    calls::set_abortive(fd);
  else if (how == close_step::close_promptly)
    calls::clear_linger(fd);
  return close_descriptor(fd);
}

// --- What is demanded.

void close_worker::demand(close_job& job, const close_mode& mode, close_plan_pointer plan) noexcept
{
  const std::lock_guard<sys::mutex> lock(mutex_);
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
  const std::lock_guard<sys::mutex> lock(mutex_);
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
  const auto now = close_job::clock::now();
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

// --- Writes that run to their end.

bool close_worker::watch_flush(close_job& job) noexcept
{
  const std::lock_guard<sys::mutex> lock(mutex_);
  // Submitted in the meantime: the last write is over.
  if (job.stage_ != close_job::stage::idle)
    return true;
  if (!ready())
    return false;
  close_plan& plan = *job.plan_;
  plan.job_ = &job;
  plan.flush_steps_ = job.flush_steps();
  plan.flushing_ = true;
  flushes_.insert(plan, close_job::clock::time_point::max());
  schedule_flush(plan, close_job::clock::now());
  return true;
}

void close_worker::schedule_flush(close_plan& plan, close_job::clock::time_point now) noexcept
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
bool close_worker::is_stalled(std::unique_lock<sys::mutex>& lock, close_job& job) noexcept
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
  std::unique_lock<sys::mutex>& lock, close_job& job, close_job::clock::time_point now) noexcept
{
  end_flush(job);
  job.plan_->until_ = std::min(job.plan_->until(), now);
  unlocked(lock, [&job] { job.expired(); });
}

void close_worker::run_flushes(std::unique_lock<sys::mutex>& lock) noexcept
{
  const auto now = close_job::clock::now();
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
bool close_worker::waits(std::unique_lock<sys::mutex>& lock, close_job& job) noexcept
{
  const close_step step = settled_step(lock, job);
  return waits_for_peer(step) && begins_delivery(job, step);
}

close_step close_worker::settled_step(std::unique_lock<sys::mutex>& lock, close_job& job) noexcept
{
  close_step step = next_step(job.request(), circumstances_of(job));
  if (step == close_step::look_at_linger)
  {
    look_at_linger(lock, job);
    step = next_step(job.request(), circumstances_of(job));
  }
  return step;
}

void close_worker::look_at_linger(std::unique_lock<sys::mutex>& lock, close_job& job) noexcept
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
  const auto since = is_planned ? plan.since_ : close_job::clock::now();
  const bool begun = how == close_step::deliver ? engine_->submit(plan, job.fd_, way, since)
                                                : engine_->drain(plan, job.fd_, way, since);
  if (!begun)
    return false;
  job.lingered_ = request.linger.waits();
  job.stage_ = close_job::stage::delivering;
  return true;
}

// Unlocks meanwhile.
void close_worker::deliver(
  std::unique_lock<sys::mutex>& lock, close_job::clock::duration timeout) noexcept
{
  delivering_ = true;
  lock.unlock();
  engine_->run_once(timeout);
  lock.lock();
  wait_out_fork(lock);
  delivering_ = false;
  queue_delivered();
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

// --- fork(2).

void close_worker::pause() noexcept
{
  std::unique_lock<sys::mutex> lock(mutex_);
  forking_ = true;
  await(lock, [this] { return busy_ == 0; });
}

void close_worker::prepare_fork() noexcept
{
  fork_lock_.lock();
  if (engine_)
    engine_->prepare_fork();
}

void close_worker::resume_after_fork() noexcept
{
  if (engine_)
    engine_->resume_after_fork();
  forking_ = false;
  resumed_->notify_all();
  fork_lock_.unlock();
}

// The wake-up descriptor is the parent's, too.
void close_worker::adopt_after_fork() noexcept
{
  if (!fork_lock_.owns_lock())
    fork_lock_.lock();
  abandon_deliveries();
  if (wake_event_ != no_descriptor)
    close_descriptor(wake_event_);
  wake_event_ = no_descriptor;
  while (close_job* job = in_hand_.pop_front())
    adopt(*job);
  closes_.for_each([](close_job& job) { job.is_a_copy(); });
  closed_.forget_blocked_threads();
  resumed_.forget_blocked_threads();
  asleep_ = forking_ = false;
  awaiting_ = busy_ = 0;
  running_ = true;
  fork_lock_.unlock();
}

// One whose close(2) has not returned by then is in the kernel, where the descriptor is gone already: here
// there is nothing left to be closed of it, and its report has been written.
void close_worker::adopt(close_job& job) noexcept
{
  job.gone_ = job.stage_ == close_job::stage::closed;
  job.stage_ = job.gone_ ? close_job::stage::delivered : close_job::stage::queued;
  closes_.push_back(job);
}

void close_worker::restart_after_fork() noexcept
{
  const std::lock_guard<sys::mutex> lock(mutex_);
  running_ = false;
  if (!closes_.empty() || !watches_.empty())
    ready();
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
