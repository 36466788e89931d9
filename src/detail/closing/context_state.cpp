// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/closing/context_state.hpp>

#include <utility>

#include <interlock/detail/descriptor/cancellation_disabled.hpp>
#include <interlock/detail/descriptor/process.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

context_state::context_state(worker_options options, std::function<void()> on_foreign_process)
  : worker_(std::make_shared<close_worker>(std::move(options))),
    on_foreign_process_(std::move(on_foreign_process)),
    process_(this_process())
{
}

bool context_state::add(context_member& r) noexcept
{
  const std::lock_guard<sys::mutex> lock(mutex_);
  if (down_)
    return false;
  members_.push_front(r);
  return true;
}

void context_state::remove(context_member& r) noexcept
{
  const std::lock_guard<sys::mutex> lock(mutex_);
  r.unlist();
}

void context_state::shut_down(std::chrono::milliseconds bound) noexcept
{
  const cancellation_disabled disabled;
  note_process();
  worker_->hurry();
  std::unique_lock<sys::mutex> lock(mutex_);
  down_ = true;
  progress_.wait(lock, [this] { return passing_ == 0; });
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
    progress_.wait_until(lock, deadline, [r] { return r->has_left_reactor(); });
    lock.unlock();
    r->drop_memory();
    lock.lock();
  }
}

bool context_state::open_gate() noexcept
{
  const std::lock_guard<sys::mutex> lock(mutex_);
  if (!down_)
    ++passing_;
  return !down_;
}

void context_state::close_gate() noexcept
{
  const std::lock_guard<sys::mutex> lock(mutex_);
  // A child that notices its fork within a passage counts from zero again.
  if (passing_ != 0 && --passing_ == 0)
    progress_.notify_all();
}

void context_state::tell_shutdown() noexcept
{
  const std::lock_guard<sys::mutex> lock(mutex_);
  progress_.notify_all();
}

// --- fork(2).

void context_state::prepare_fork() noexcept
{
  const cancellation_disabled disabled;
  // First of all: the worker may be on its way through the gate.
  worker_->prepare_fork();
  fork_lock_.lock();
  progress_.wait_for(fork_lock_, close_progress::await_time, [this] { return passing_ == 0; });
}

void context_state::resume_after_fork() noexcept
{
  fork_lock_.unlock();
  worker_->resume_after_fork();
}

// Until the worker is restarted it does nothing. A member that has nothing left to do leaves the list.
void context_state::adopt_after_fork() noexcept
{
  process_ = this_process();
  worker_->adopt_after_fork();
  if (!fork_lock_.owns_lock())
    fork_lock_.lock();
  passing_ = 0;
  fork_lock_.unlock();
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

void context_state::note_process() noexcept
{
  const long self = this_process();
  if (process_ == self)
    return;
  const std::lock_guard<sys::mutex> lock(process_mutex_);
  if (process_ != self && on_foreign_process_ && !down_)
    on_foreign_process_();
  process_ = self;
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
