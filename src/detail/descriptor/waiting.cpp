// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/descriptor/waiting.hpp>

#include <cerrno>
#include <cstdint>

#include <poll.h>

#include <interlock/detail/descriptor/cancellation_disabled.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

namespace {

// Without an eventfd no closer can wake the wait; it looks at the phase this often instead.
constexpr int slice_milliseconds = 10;

} // namespace

blocked_thread::blocked_thread(wake_events& kept, const void* tenure) noexcept
  : kept_(kept),
    event_(kept.take()),
    tenure_(tenure)
{
}

blocked_thread::~blocked_thread()
{
  kept_.put(event_);
}

bool blocked_thread::wait(int fd, short events, boost::system::error_code& ec) noexcept
{
  ::pollfd both[2] = {{fd, events, 0}, {event_.descriptor, POLLIN, 0}};
  const int result = has_event() ? sys::ppoll(both, 2, nullptr, nullptr)
                                 : sys::poll(both, 1, slice_milliseconds);
  ec = result < 0 ? boost::system::error_code(errno, boost::system::system_category())
                  : boost::system::error_code();
  return result > 0 && both[0].revents != 0;
}

void blocked_thread::wake() noexcept
{
  const cancellation_disabled disabled;
  woken_ = true;
  const std::uint64_t one = 1;
  // Cannot fail: the count is far from its limit, and the event outlives the entry in the list.
  if (has_event() && sys::write(event_.descriptor, &one, sizeof(one)) < 0)
    return;
}

void blocked_thread_list::remove(blocked_thread& w) noexcept
{
  if (!w.is_of_this_process())
    return w.forget();
  blocked_threads_.remove(w);
  std::uint64_t count = 0;
  if (w.woken_ && w.has_event() && sys::read(w.event_.descriptor, &count, sizeof(count)) < 0)
    return;
}

void blocked_thread_list::wake_all(const void* tenure) noexcept
{
  blocked_threads_.for_each(
    [tenure](blocked_thread& w)
    {
      if (w.tenure_ == tenure && !w.woken_)
        w.wake();
    });
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
