// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/closing/context_state.hpp>

#include <algorithm>
#include <utility>

#include <interlock/detail/descriptor/cancellation_disabled.hpp>
#include <interlock/detail/descriptor/short_locks.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

context_state::context_state(worker_options options, std::function<void()> notify_fork)
  : worker_(new close_worker(std::move(options)), false),
    notify_fork_(std::move(notify_fork)),
    process_(this_process())
{
  begin_watch();
  is_watching_ = true;
}

context_state::~context_state()
{
  stop_watching();
}

void context_state::shut_down(std::chrono::milliseconds bound) noexcept
{
  const cancellation_disabled disabled;
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
  kept_wake_events_.keep_none();
  stop_watching();
}

// Not later, by a thread of the library's that drops the last reference: a fork has the lock and waits for that thread.
void context_state::stop_watching() noexcept
{
  if (std::exchange(is_watching_, false))
    end_watch();
}

// Of this thread's part if there is one.
void* context_state::take_block(std::size_t size) noexcept
{
  note_process(); // in a child another thread of the parent may have had a mutex
  const std::size_t own = place_of_this_thread(parts_.size());
  for (std::size_t i = 0; i != parts_.size(); ++i)
    if (void* const block = parts_[(own + i) % parts_.size()].take_block(size))
      return block;
  return nullptr;
}

// --- What is told.

// A member may be the last of its memory: it is let go without the mutex of a part.
close_statistics context_state::statistics() noexcept
{
  note_process();
  close_statistics s;
  std::array<context_member_pointer, sys::parts> first;
  std::transform(
    parts_.begin(), parts_.end(), first.begin(), [&s](context_part& p) { return p.add_to(s); });
  for (const context_member_pointer& m : first)
  {
    const auto close = m ? m->describe() : std::nullopt;
    if (close && close->age >= s.oldest.age)
      s.oldest = *close;
  }
  worker_->lane().add_to(s);
  return s;
}

std::vector<close_in_progress> context_state::closes_in_progress()
{
  note_process();
  std::vector<context_member_pointer> found;
  for (context_part& p : parts_)
    p.add_closing_to(found);
  std::vector<close_in_progress> closes;
  closes.reserve(found.size());
  for (const context_member_pointer& m : found)
    if (const auto close = m->describe())
      closes.push_back(*close);
  return closes;
}

// --- fork(2).

void context_state::on_fork(fork_event e) noexcept
{
  const cancellation_disabled disabled;
  lock_type lock(*fork_mutex_);
  fork_act act = fork_act::none;
  do
  {
    if (!may_act(e, lock))
      return;
    fork_.foreign = process_ != this_process();
    const fork_step s = step_of(fork_, e);
    fork_ = s.next;
    act = s.act;
    perform(act, lock);
  } while (act == fork_act::notify);
}

// The adopting thread may use the context, and a service that it notifies may fork. Other threads wait.
bool context_state::may_act(fork_event e, lock_type& lock) noexcept
{
  if (adopting_ != 0 && adopter_ == sys::this_thread_id())
    return e == fork_event::child || e == fork_event::begin || e == fork_event::end;
  adopted_->wait(lock, [this] { return adopting_ == 0; });
  return true;
}

// Asio may have no descriptor for a new reactor, and then does not notify this service.
void context_state::perform(fork_act act, lock_type& lock) noexcept
{
  if (act == fork_act::settle_and_park)
  {
    worker_->resume();
    worker_->progress().await_calls();
    worker_->park();
  }
  else if (act == fork_act::park)
    worker_->park();
  else if (act == fork_act::resume)
    worker_->resume();
  else if (act == fork_act::adopt)
    unlocked(lock, [this] { adopt(); });
  else if (act == fork_act::notify)
    unlocked(lock,
      [this]
      {
        if (notify_fork_ && !down_)
          notify_fork_();
        if (process_ != this_process())
          on_fork(fork_event::child);
      });
}

template <class Work>
void context_state::unlocked(lock_type& lock, Work work) noexcept
{
  ++adopting_;
  adopter_ = sys::this_thread_id();
  lock.unlock();
  work();
  lock.lock();
  if (--adopting_ == 0)
    adopted_->notify_all();
}

// Until the worker is restarted it does nothing.
void context_state::adopt() noexcept
{
  renew_short_locks(); // of a child that has been made without the handlers of pthread_atfork(3)
  for (context_part& p : parts_)
    p.renew_after_fork();
  worker_->adopt_after_fork();
  for (context_part& p : parts_)
    p.tell_members_of_fork();
  process_ = this_process();
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

// Another thread of the parent may have had the mutex, or have been adopting. Adoption follows when the child uses the
// context.
void context_state::forked_in_child() noexcept
{
  fork_mutex_.renew();
  adopted_.renew();
  if (adopter_ != sys::this_thread_id())
    adopting_ = 0;
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
