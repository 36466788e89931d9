// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/closing/close_worker.hpp>

#include <utility>

#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

void close_worker::submit(close_job& job, const detached_descriptor& d) noexcept
{
  const close_step first = job.hand_over(d, share_.hurried);
  if (d.at_once && close_at_once(job, first))
    return;
  share_.progress.note_posted();
  post(job, notice::submit);
}

// The job may be gone when this returns true.
bool close_worker::close_at_once(close_job& job, close_step first) noexcept
{
  if (waits_for_peer(first) || job.can_block(false))
    return false;
  const close_step how = job.settle(share_.hurried);
  if (waits_for_peer(how))
    return false;
  if (job.to_be_forgotten_)
    post(job, notice::forget);
  job.close_now(how);
  share_.progress.note();
  return true;
}

// --- What the worker is told.

void close_worker::demand(close_job& job, const close_mode& mode, close_plan_pointer plan) noexcept
{
  if (job.demand(mode, std::move(plan)))
    post(job, notice::demand);
}

void close_worker::demand_plainly(close_job& job) noexcept
{
  if (job.demand_plainly())
    post(job, notice::demand);
}

// Posted under the mutex, as a watch is: so the worker opens it before, or with, the submit.
void close_worker::watch_flush(close_job& job) noexcept
{
  std::unique_lock<sys::mutex> lock(job.mutex());
  if (job.submitted_)
    return;
  job.watched_ = job.awaited_ = true;
  const posting p = put(job, notice::flush);
  lock.unlock();
  follow(job, p, at_once);
}

// The caller keeps the memory. Another thread may add something urgent before the mail is in the mailbox: then it is
// for this thread to wake the worker.
void close_worker::watch(close_job& job) noexcept
{
  std::unique_lock<sys::mutex> lock(job.mutex());
  if (job.submitted_)
    return;
  if (job.watch_until_.load() == time_point())
    note_begin(job);
  const time_point until = job.watch_until_;
  job.watched_ = true;
  const posting p = put(job, notice::watch);
  lock.unlock();
  const bool is_alone = (job.contents() & ~notice::watch) == 0;
  follow(job, p, is_alone ? until : at_once);
}

void close_worker::retry_later(close_job& job) noexcept
{
  note_begin(job);
  post(job, notice::retry);
}

// --- The mailbox.

void close_worker::post(close_job& job, mail::content what) noexcept
{
  follow(job, put(job, what), at_once);
}

// The mailbox keeps the memory.
posting close_worker::put(close_job& job, mail::content what) noexcept
{
  job.keep_memory();
  return share_.box.post(job, what);
}

// `by`: when it has to be opened. The job may be gone if it is not refused.
void close_worker::follow(close_job& job, posting p, time_point by) noexcept
{
  if (p == posting::refused)
    return act_here(job);
  if (p == posting::added)
    job.drop_memory();
  ensure_thread();
  wake(by);
}

void close_worker::wake(time_point by) noexcept
{
  if (share_.sleep.must_wake(by))
    share_.edges.wake();
}

// In the place of the worker.
void close_worker::act_here(close_job& job) noexcept
{
  const mail::content what = static_cast<mail&>(job).open();
  const auto has = [what](mail::content n) { return (what & n) != 0; };
  job.end_watch(has(notice::submit | notice::forget));
  if (has(notice::flush))
    job.flush_over();
  if (has(notice::watch))
    job.overdue();
  if (has(notice::retry))
    job.retry_never();
  if (has(notice::submit))
  {
    job.close_now(job.decide(true));
    share_.progress.note_settled();
  }
  job.drop_memory();
}

void close_worker::act_here_for_all(mail* first) noexcept
{
  while (first)
  {
    auto& job = static_cast<close_job&>(*first);
    first = first->next();
    act_here(job);
  }
}

// --- The thread.

// A thread that could not be started is asked for again with the next job.
void close_worker::ensure_thread() noexcept
{
  auto none = thread_state::none;
  if (state_.load() != none || !state_.compare_exchange_strong(none, thread_state::starting))
    return;
  auto starting = thread_state::starting;
  if (start())
  {
    if (!state_.compare_exchange_strong(starting, thread_state::running))
      thread_.leave_behind();
  }
  else if (state_.compare_exchange_strong(starting, thread_state::none))
    act_here_for_all(share_.box.take_all());
  share_.progress.note();
}

// The thread shares in the worker: it may be left behind by stop, and outlive whatever else holds it.
bool close_worker::start() noexcept
{
  return share_.edges.open()
    && thread_.start(
      options_.lane.thread_factory, "interlock", [this, kept = hold(*this)] { run(); });
}

void close_worker::run() noexcept
{
  const edge_set::user in_use(share_.edges);
  if (in_use) // otherwise the worker has been stopped, and nothing is left
    worker_loop(share_, *this).run();
}

void close_worker::stop(std::chrono::milliseconds bound) noexcept
{
  const auto end = close_job::clock::now() + bound;
  share_.hurried = share_.stopping = true;
  if (state_ == thread_state::starting)
    share_.progress.await([this] { return state_ != thread_state::starting; });
  const thread_state before = state_.exchange(thread_state::stopped);
  if (before == thread_state::running)
  {
    wake(at_once);
    thread_.join(bound);
  }
  // There is nothing left, unless there has been no thread, or it is stuck.
  act_here_for_all(share_.unopened.exchange(nullptr));
  act_here_for_all(share_.box.close());
  share_.lane.stop(end, *this);
  share_.edges.close();
}

// --- fork(2).

void close_worker::park() noexcept
{
  share_.gate.shut(close_progress::await_time);
}

void close_worker::resume() noexcept
{
  share_.gate.open();
}

// The eventfd and the set are the parent's, too. Until the restart nothing is done of what is posted.
void close_worker::adopt_after_fork() noexcept
{
  forget_threads();
  share_.gate.renew_after_fork();
  share_.progress.renew_after_fork();
  share_.lane.renew_after_fork();
  share_.edges.renew_after_fork();
  share_.sleep.end();
  thread_.forget_after_fork();
  if (state_ != thread_state::stopped)
    state_ = thread_state::starting;
  post_again(share_.unopened.exchange(nullptr));
  post_again(share_.box.take_all());
}

// Of what has been submitted a child counts the closes anew.
void close_worker::post_again(mail* first) noexcept
{
  while (first)
  {
    auto& job = static_cast<close_job&>(*first);
    first = first->next();
    const mail::content what = static_cast<mail&>(job).open();
    if ((what & notice::submit) != 0)
      share_.progress.note_posted();
    post(job, what);
    list_again(job);
    job.drop_memory();
  }
}

// The list, or the heap, is that of a thread that does not exist.
void close_worker::list_again(close_job& job) noexcept
{
  using listing = close_job::listing;
  const listing l = std::exchange(job.listing_, listing::none);
  static_cast<job_node&>(job).forget();
  if (l == listing::flush)
    job.plan_->forget();
  if (l == listing::none || l == listing::delivery)
    return;
  post(job,
    l == listing::watch     ? notice::watch
      : l == listing::flush ? notice::flush
                            : notice::retry);
  job.drop_memory();
}

void close_worker::adopt(close_job& job) noexcept
{
  list_again(job);
  if (!job.begin_again() || (job.contents() & notice::submit) != 0)
    return;
  share_.progress.note_posted();
  post(job, notice::submit);
}

void close_worker::restart_after_fork() noexcept
{
  auto starting = thread_state::starting;
  if (state_.compare_exchange_strong(starting, thread_state::none) && !share_.box.empty())
    ensure_thread();
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
