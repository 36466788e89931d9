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

bool context_state::add(context_member& r) noexcept
{
  const std::lock_guard<sys::mutex> lock(*mutex_);
  if (down_)
    return false;
  members_.push_front(r);
  return true;
}

void context_state::remove(context_member& r) noexcept
{
  const std::lock_guard<sys::mutex> lock(*mutex_);
  r.unlist();
}

void context_state::shut_down(std::chrono::milliseconds bound) noexcept
{
  const cancellation_disabled disabled;
  note_process();
  on_fork(fork_event::parent); // a context can end between a preparation and the fork
  worker_->hurry();
  std::unique_lock<sys::mutex> lock(*mutex_);
  down_ = true;
  progress_->wait(lock, [this] { return passing_ == 0; });
  shut_members_down(lock);
  await_members(lock, bound);
  lock.unlock();
  worker_->stop(bound);
}

// All of them, before any is waited for: threads inside of each are woken at once. A member cannot be freed
// while the mutex is held: it has to be removed first.
void context_state::shut_members_down(std::unique_lock<sys::mutex>& lock) noexcept
{
  while (context_member* r = members_.pop_front())
  {
    leaving_.push_front(*r);
    r->keep_memory();
    lock.unlock();
    r->shut_down();
    r->drop_memory();
    lock.lock();
  }
}

void context_state::await_members(
  std::unique_lock<sys::mutex>& lock, std::chrono::milliseconds bound) noexcept
{
  const auto deadline = sys::clock::now() + bound;
  while (context_member* r = leaving_.pop_front())
  {
    left_reactor_.push_front(*r);
    r->keep_memory();
    progress_->wait_until(lock, deadline, [r] { return r->has_left_reactor(); });
    lock.unlock();
    r->drop_memory();
    lock.lock();
  }
}

bool context_state::open_gate() noexcept
{
  const std::lock_guard<sys::mutex> lock(*mutex_);
  if (!down_)
    ++passing_;
  return !down_;
}

void context_state::close_gate() noexcept
{
  const std::lock_guard<sys::mutex> lock(*mutex_);
  // A child that notices its fork within a passage counts from zero again.
  if (passing_ != 0 && --passing_ == 0)
    progress_->notify_all();
}

void context_state::tell_shutdown() noexcept
{
  const std::lock_guard<sys::mutex> lock(*mutex_);
  progress_->notify_all();
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

// Until the worker is restarted it does nothing. A member that has nothing left to do leaves the list. A passage that
// was under way in the parent is over here.
void context_state::adopt() noexcept
{
  mutex_.renew();
  progress_.renew();
  worker_->adopt_after_fork();
  passing_ = 0;
  process_ = this_process();
  intrusive_list<context_member> members(std::move(members_));
  while (context_member* r = members.pop_front())
  {
    members_.push_front(*r);
    r->keep_memory();
    r->after_fork();
    r->drop_memory();
  }
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
