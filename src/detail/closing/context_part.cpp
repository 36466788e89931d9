// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/closing/context_part.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

bool context_part::add(context_member& m) noexcept
{
  const std::lock_guard<sys::mutex> lock(*mutex_);
  if (!is_closed_)
    members_.push_front(m);
  return !is_closed_;
}

void context_part::remove(context_member& m) noexcept
{
  const std::lock_guard<sys::mutex> lock(*mutex_);
  m.unlist();
}

bool context_part::enter() noexcept
{
  const std::lock_guard<sys::mutex> lock(*mutex_);
  if (!is_closed_)
    ++passing_;
  return !is_closed_;
}

void context_part::leave() noexcept
{
  const std::lock_guard<sys::mutex> lock(*mutex_);
  // A child that notices its fork within a passage counts from zero again.
  if (passing_ != 0 && --passing_ == 0 && is_closed_)
    progress_->notify_all();
}

void context_part::tell_shutdown() noexcept
{
  const std::lock_guard<sys::mutex> lock(*mutex_);
  progress_->notify_all();
}

// --- What is told.

// Calls see(member, its standing), under the mutex.
template <class See>
void context_part::look_at_members(See see)
{
  const auto look = [&see](context_member& m) { see(m, m.look()); };
  const std::lock_guard<sys::mutex> lock(*mutex_);
  members_.for_each(look);
  leaving_.for_each(look);
  left_reactor_.for_each(look);
}

context_member_pointer context_part::add_to(close_statistics& s) noexcept
{
  counts_.add_to(s);
  context_member_pointer first;
  sys::clock::time_point begun = sys::clock::time_point::max();
  look_at_members(
    [&](context_member& m, const standing& where)
    {
      s.open += where.is_open ? 1 : 0;
      if (!where.stage)
        return;
      ++s.stages[static_cast<std::size_t>(*where.stage)];
      if (where.begun >= begun)
        return;
      begun = where.begun;
      first = &m;
    });
  return first;
}

// Memory is had without the mutex. What begins to close meanwhile may be left out.
void context_part::add_closing_to(std::vector<context_member_pointer>& found)
{
  std::size_t more = 0;
  look_at_members([&more](context_member&, const standing& where) { more += where.stage ? 1 : 0; });
  found.reserve(found.size() + more);
  look_at_members(
    [&found](context_member& m, const standing& where)
    {
      if (where.stage && found.size() != found.capacity())
        found.emplace_back(&m);
    });
}

// --- Shutdown.

void context_part::close_gate() noexcept
{
  const std::lock_guard<sys::mutex> lock(*mutex_);
  is_closed_ = true;
}

void context_part::await_passages() noexcept
{
  std::unique_lock<sys::mutex> lock(*mutex_);
  progress_->wait(lock, [this] { return passing_ == 0; });
}

// A member cannot be freed while the mutex is held: it has to be removed first.
void context_part::shut_members_down() noexcept
{
  std::unique_lock<sys::mutex> lock(*mutex_);
  while (context_member* m = members_.pop_front())
  {
    leaving_.push_front(*m);
    m->keep_memory();
    lock.unlock();
    m->shut_down();
    m->drop_memory();
    lock.lock();
  }
}

void context_part::await_members(time_point end) noexcept
{
  std::unique_lock<sys::mutex> lock(*mutex_);
  while (context_member* m = leaving_.pop_front())
  {
    left_reactor_.push_front(*m);
    m->keep_memory();
    progress_->wait_until(lock, end, [m] { return m->has_left_reactor(); });
    lock.unlock();
    m->drop_memory();
    lock.lock();
  }
}

// --- Memory.

void* context_part::take_block(std::size_t size) noexcept
{
  if (!has_blocks_.load(std::memory_order_relaxed))
    return nullptr;
  const std::lock_guard<sys::mutex> lock(*mutex_);
  void* const block = blocks_.take(size);
  has_blocks_.store(blocks_.count() != 0, std::memory_order_relaxed);
  return block;
}

bool context_part::put_block(void* memory, std::size_t size) noexcept
{
  const std::lock_guard<sys::mutex> lock(*mutex_);
  if (!blocks_.put(memory, size, sys::kept_blocks))
    return false;
  has_blocks_.store(true, std::memory_order_relaxed);
  return true;
}

// --- fork(2).

void context_part::renew_after_fork() noexcept
{
  mutex_.renew();
  progress_.renew();
  passing_ = 0;
}

// A member that has nothing left to do leaves the list.
void context_part::tell_members_of_fork() noexcept
{
  member_list members(std::move(members_));
  while (context_member* m = members.pop_front())
  {
    members_.push_front(*m);
    m->keep_memory();
    m->after_fork();
    m->drop_memory();
  }
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
