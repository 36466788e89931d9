// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/descriptor/wake_events.hpp>

#include <sys/eventfd.h>

#include <interlock/detail/descriptor/place_by_address.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

namespace {

void close_event(wake_event e) noexcept
{
  if (e.descriptor != no_descriptor)
    close_descriptor(e.descriptor);
}

} // namespace

// Sequentially consistent, as in `keep`: either this function sees the event there, or `keep` sees the flag and closes
// the event.
void wake_events::keep_none() noexcept
{
  keeps_none_.store(true);
  for (sys::atomic<wake_event>& e : kept_)
    close_event(e.exchange(wake_event()));
}

// The first one that a thread looks at is mostly its own.
wake_event wake_events::take() noexcept
{
  const int process = process_number();
  const std::size_t own = place_of_this_thread(kept_.size());
  for (std::size_t i = 0; i != kept_.size(); ++i)
  {
    sys::atomic<wake_event>& kept = kept_[(own + i) % kept_.size()];
    if (kept.load(std::memory_order_relaxed).descriptor == no_descriptor)
      continue;
    const wake_event e = kept.exchange(wake_event(), std::memory_order_acquire);
    if (e.descriptor != no_descriptor && e.process == process)
      return e;
    close_event(e);
  }
  return {sys::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), process};
}

// A thread that has forked while it was blocked, in a signal handler, comes here in both processes.
void wake_events::put(wake_event e) noexcept
{
  const bool is_of_use = e.descriptor != no_descriptor && e.process == process_number();
  if (!is_of_use || !keep(e))
    close_event(e);
}

bool wake_events::keep(const wake_event& e) noexcept
{
  const std::size_t own = place_of_this_thread(kept_.size());
  for (std::size_t i = 0; i != kept_.size(); ++i)
  {
    sys::atomic<wake_event>& place = kept_[(own + i) % kept_.size()];
    wake_event none;
    if (!place.compare_exchange_strong(
          none, e, std::memory_order_seq_cst, std::memory_order_relaxed))
      continue;
    if (keeps_none_.load())
      close_event(place.exchange(wake_event()));
    return true;
  }
  return false;
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
