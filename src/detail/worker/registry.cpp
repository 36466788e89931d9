// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/worker/registry.hpp>

namespace interlock
{
inline namespace abi_0
{
namespace detail
{

registry::registry()
  : worker_(std::make_shared<close_worker>())
{
}

bool registry::add(registered& r) noexcept
{
  const std::lock_guard<std::mutex> lock(mutex_);
  if (down_)
    return false;
  insert(members_, r);
  return true;
}

void registry::remove(registered& r) noexcept
{
  const std::lock_guard<std::mutex> lock(mutex_);
  if (r.link_)
    unlink(r);
}

void registry::shut_down(std::chrono::milliseconds bound) noexcept
{
  worker_->hurry();
  std::unique_lock<std::mutex> lock(mutex_);
  down_ = true;
  gate_empty_.wait(lock, [this] { return passing_ == 0; });
  while (registered* r = members_)
  {
    unlink(*r);
    insert(ended_, *r);
    // A member cannot be freed while the mutex is held: it has to be removed first.
    if (!r->hold_for_shutdown())
      continue;
    lock.unlock();
    r->shut_down();
    lock.lock();
  }
  lock.unlock();
  worker_->stop(bound);
}

bool registry::open_gate() noexcept
{
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!down_)
    ++passing_;
  return !down_;
}

void registry::close_gate() noexcept
{
  const std::lock_guard<std::mutex> lock(mutex_);
  if (--passing_ == 0)
    gate_empty_.notify_all();
}

void registry::insert(registered*& list, registered& r) noexcept
{
  r.next_ = list;
  r.link_ = &list;
  if (list)
    list->link_ = &r.next_;
  list = &r;
}

void registry::unlink(registered& r) noexcept
{
  *r.link_ = r.next_;
  if (r.next_)
    r.next_->link_ = r.link_;
  r.next_ = nullptr;
  r.link_ = nullptr;
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
