// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/closing/context_state.hpp>

#include <utility>

#include <interlock/detail/descriptor/cancellation_disabled.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

context_state::context_state(worker_options options, std::function<void()> tell_of_fork)
  : worker_(std::make_shared<close_worker>(std::move(options))),
    tell_of_fork_(std::move(tell_of_fork)),
    process_(this_process())
{
  begin_watch();
}

context_state::~context_state()
{
  end_watch();
}

void context_state::shut_down(std::chrono::milliseconds bound) noexcept
{
  const cancellation_disabled disabled;
  note_process();
  on_fork(fork_event::parent); // a context can end between a preparation and the fork
  worker_->hurry();
  down_ = true;
  for (context_part& p : parts_)
    p.close_gate();
  for (context_part& p : parts_)
    p.await_passages();
  for (context_part& p : parts_)
    p.shut_members_down();
  const auto end = sys::clock::now() + bound;
  for (context_part& p : parts_)
    p.await_members(end);
  worker_->stop(bound);
}

// --- fork(2).

void context_state::on_fork(fork_event e) noexcept
{
  const cancellation_disabled disabled;
  if (e == fork_event::prepare || e == fork_event::parent)
    note_process();
  std::unique_lock<sys::mutex> lock(*fork_mutex_);
  fork_.foreign = process_ != this_process();
  const fork_step s = step_of(fork_, e);
  fork_ = s.next;
  lock.unlock();
  if (s.act == fork_act::settle_and_park)
    worker_->progress().await_posted();
  if (s.act == fork_act::settle_and_park || s.act == fork_act::park)
    worker_->park();
  else if (s.act == fork_act::resume)
    worker_->resume();
  else if (s.act == fork_act::adopt)
    adopt();
}

// One thread tells. It may use the context meanwhile, by the services that are told before this one.
void context_state::notice_fork() noexcept
{
  const cancellation_disabled disabled;
  std::unique_lock<sys::mutex> lock(*fork_mutex_);
  if (is_being_told_ && teller_ == sys::this_thread_id())
    return;
  adopted_->wait(lock, [this] { return !is_being_told_; });
  if (process_ == this_process())
    return;
  is_being_told_ = true;
  teller_ = sys::this_thread_id();
  lock.unlock();
  if (tell_of_fork_ && !down_)
    tell_of_fork_();
  // Asio may have had no descriptor for a new reactor, and not have come to this service.
  if (process_ != this_process())
    on_fork(fork_event::child);
  lock.lock();
  is_being_told_ = false;
  adopted_->notify_all();
}

// Until the worker is restarted it does nothing.
void context_state::adopt() noexcept
{
  for (context_part& p : parts_)
    p.renew_after_fork();
  worker_->adopt_after_fork();
  process_ = this_process();
  for (context_part& p : parts_)
    p.tell_members_of_fork();
  worker_->restart_after_fork();
}

void context_state::fork_begins() noexcept
{
  on_fork(fork_event::begin);
}

void context_state::forked_in_parent() noexcept
{
  on_fork(fork_event::end);
}

// A thread of the parent may have had the mutex. The rest has time until the child uses the context, if it does.
void context_state::forked_in_child() noexcept
{
  fork_mutex_.renew();
  adopted_.renew();
  is_being_told_ = false;
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
