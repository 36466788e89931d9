// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/closing/worker_loop.hpp>

#include <algorithm>
#include <limits>
#include <utility>

#include <interlock/detail/closing/close_call.hpp>
#include <interlock/detail/descriptor/calls.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

// --- Rounds.

void worker_loop::run() noexcept
{
  entered_ = share_.gate.enter();
  while (!share_.stopping)
  {
    open_mail(turns);
    const auto now = clock::now();
    run_watches(now);
    run_due(now);
    wait();
  }
  end_all();
  share_.gate.leave(entered_);
}

// No more than `most`: a flood of closes must not keep deliveries and deadlines waiting. What is unopened can be taken
// by the thread that stops the worker, if a job holds the worker up.
void worker_loop::open_mail(std::size_t most) noexcept
{
  for (; most != 0; --most)
  {
    mail* first = share_.unopened.exchange(nullptr);
    if (!first)
      first = share_.box.take_all();
    if (!first)
      return;
    share_.unopened = first->next();
    open(static_cast<close_job&>(*first));
  }
}

void worker_loop::run_watches(time_point now) noexcept
{
  while (close_job* job = watches_.front())
  {
    if (job->watch_until_.load() > now)
      return;
    expire(*job);
  }
}

void worker_loop::run_due(time_point now) noexcept
{
  for (std::size_t left = turns; left && !due_.empty() && due_.front()->due() <= now; --left)
  {
    auto& plan = static_cast<close_plan&>(*due_.front());
    if (is_flushing(plan))
      run_flush(plan, now);
    else if (engine_.look(plan, now))
      end_delivery(plan);
  }
}

// Time-out and wake-up are the same here: the lists say what there is to do. No delivery of `tags` can be over before
// its turn: none has two edges.
void worker_loop::wait() noexcept
{
  void* tags[edge_set::most];
  const clock::duration time = time_to_wait();
  share_.gate.leave(entered_);
  const std::size_t count = share_.edges.wait(time, tags);
  entered_ = share_.gate.enter();
  share_.sleep.end();
  const auto now = clock::now();
  for (std::size_t i = 0; i < count; ++i)
  {
    auto& plan = static_cast<close_plan&>(*static_cast<delivery_job*>(tags[i]));
    if (engine_.woken(plan, now))
      end_delivery(plan);
  }
}

worker_loop::clock::duration worker_loop::time_to_wait() noexcept
{
  if (share_.unopened != nullptr)
    return clock::duration::zero();
  const auto next = next_deadline();
  const auto time = next == time_point::max() ? clock::duration::max() : next - clock::now();
  if (std::exchange(has_closed_, false))
    return std::min<clock::duration>(time, wakeful_time);
  share_.sleep.announce(next);
  return share_.box.empty() && !share_.stopping ? time : clock::duration::zero();
}

worker_loop::time_point worker_loop::next_deadline() const noexcept
{
  auto next = due_.empty() ? time_point::max() : due_.front()->due();
  if (!watches_.empty())
    next = std::min(next, watches_.front()->watch_until_.load());
  return next;
}

// What is posted from now on is ended by the thread that posts it, which may be this one.
void worker_loop::end_all() noexcept
{
  constexpr auto all = std::numeric_limits<std::size_t>::max();
  open_mail(all);
  share_.unopened = share_.box.close();
  open_mail(all);
  while (close_job* job = watches_.front())
    expire(*job);
  while (!due_.empty())
  {
    auto& plan = static_cast<close_plan&>(*due_.front());
    const auto now = clock::now();
    if (is_flushing(plan))
      end_flush(plan, now);
    else if (engine_.overtake(plan, std::min(plan.job_->way(), close_mode::kind::immediate), now))
      end_delivery(plan);
  }
}

// --- Notices.

// The mailbox has kept the memory. What goes on here has memory without it: a forked child, which lacks this thread,
// would not give the mailbox's back. A watch, or a flush, that comes with a submit or its forget is over.
void worker_loop::open(close_job& job) noexcept
{
  using notice = close_job::notice;
  using listing = close_job::listing;
  const mail::content what = static_cast<mail&>(job).open();
  const auto has = [what](mail::content n) { return (what & n) != 0; };
  if (has(notice::submit | notice::forget))
  {
    unlist(job);
    job.end_watch(true);
  }
  else if (has(notice::flush))
    add_flush(job);
  else if (has(notice::watch))
    add_watch(job, listing::watch);
  if (has(notice::retry))
    add_watch(job, listing::retry);
  const bool goes_on = has(notice::submit) || job.listing_ != listing::none;
  job.drop_memory();
  if (has(notice::submit))
    close(job);
  else if (has(notice::demand) && goes_on)
    look_again(job);
}

// What is listed keeps its memory.
void worker_loop::add_watch(close_job& job, close_job::listing l) noexcept
{
  if (job.listing_ == close_job::listing::none)
    job.keep_memory();
  else
    watches_.remove(job);
  job.listing_ = l;
  watches_.push_back(job);
}

void worker_loop::add_flush(close_job& job) noexcept
{
  close_plan& plan = *job.plan_;
  plan.job_ = &job;
  plan.flush_steps_ = job.flush_steps();
  job.listing_ = close_job::listing::flush;
  job.keep_memory();
  due_.insert(plan, plan.flush_until(clock::now()));
}

void worker_loop::unlist(close_job& job) noexcept
{
  using listing = close_job::listing;
  const listing l = std::exchange(job.listing_, listing::none);
  if (l == listing::none)
    return;
  if (l == listing::flush)
    due_.remove(*job.plan_);
  else
    watches_.remove(job);
  job.drop_memory();
}

// What has been demanded can end the wait earlier.
void worker_loop::look_again(close_job& job) noexcept
{
  const auto now = clock::now();
  if (job.listing_ == close_job::listing::flush)
    job.way() < close_mode::kind::deliver ? end_flush(*job.plan_, now)
                                          : due_.update(*job.plan_, job.plan_->flush_until(now));
  else if (job.listing_ == close_job::listing::delivery
    && engine_.overtake(*job.plan_, job.way(), now))
    end_delivery(*job.plan_);
}

// --- Watches.

void worker_loop::expire(close_job& job) noexcept
{
  watches_.remove(job);
  const bool is_retry = std::exchange(job.listing_, close_job::listing::none)
    == close_job::listing::retry;
  job.end_watch(false);
  if (is_retry)
    job.retry();
  else
    job.overdue();
  job.drop_memory();
}

// --- Writes that run to their end.

bool worker_loop::is_flushing(const close_plan& plan) noexcept
{
  return plan.job_->listing_ == close_job::listing::flush;
}

void worker_loop::run_flush(close_plan& plan, time_point now) noexcept
{
  if (now >= plan.until() || is_stalled(plan))
    end_flush(plan, now);
  else
    due_.update(plan, plan.flush_until(now));
}

// Writes are further when the next of a chain has begun, or the kernel has got rid of something.
bool worker_loop::is_stalled(close_plan& plan) noexcept
{
  const int queue = plan.job_->flush_queue();
  const unsigned steps = plan.job_->flush_steps();
  const bool moved = steps != plan.flush_steps_ || queue != plan.flush_queue_;
  plan.flush_steps_ = steps;
  plan.flush_queue_ = queue;
  return !moved;
}

// What is left of the delivery is as late as the flush.
void worker_loop::end_flush(close_plan& plan, time_point now) noexcept
{
  close_job& job = *plan.job_;
  due_.remove(plan);
  job.listing_ = close_job::listing::none;
  {
    const std::lock_guard<sys::mutex> lock(job.mutex());
    plan.end_by(now);
  }
  job.end_watch(false);
  job.flush_over();
  job.drop_memory();
}

// --- Closes.

void worker_loop::close(close_job& job) noexcept
{
  has_closed_ = true;
  const close_step s = job.settle(share_.hurried);
  if (!waits_for_peer(s))
    finish(job, s);
  // Without memory the kernel goes on sending all the same, and nothing waits for it.
  else if (!begin_delivery(job, s))
    finish(job, job.decide(true));
}

bool worker_loop::begin_delivery(close_job& job, close_step how) noexcept
{
  const auto now = clock::now();
  close_plan* const plan = job.plan_wait(now);
  if (!plan)
    return false;
  plan->job_ = &job;
  job.listing_ = close_job::listing::delivery;
  job.note(close_job::stage::delivering);
  calls::set_close_on_exec(job.fd_);
  share_.progress.note_settled();
  const auto first = how == close_step::deliver ? delivery_stage::fresh : delivery_stage::draining;
  if (engine_.begin(*plan, {job.fd_, first, job.way(), job.received_}, now))
    end_delivery(*plan);
  return true;
}

void worker_loop::end_delivery(close_plan& plan) noexcept
{
  close_job& job = *plan.job_;
  job.listing_ = close_job::listing::none;
  job.note(close_job::stage::delivered);
  share_.progress.note_posted();
  finish(job, job.decide(share_.hurried));
}

// The job may be gone when this returns.
void worker_loop::finish(close_job& job, close_step how) noexcept
{
  if (job.can_block(!job.was_at_once_))
  {
    calls::set_close_on_exec(job.fd_);
    if (share_.lane.add(job, how, owner_, entered_))
      return;
  }
  entered_ = close_call::make(job, how, share_.progress, share_.gate, entered_);
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
