// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/descriptor/waiting.hpp>

#include <cerrno>
#include <cstdint>

#include <poll.h>

#if defined(__linux__)
#include <sys/epoll.h>
#endif

#include <interlock/detail/descriptor/cancellation_disabled.hpp>
#include <interlock/detail/descriptor/close_descriptor.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

namespace {

// Without an eventfd no closer can wake the wait; it looks at the phase this often instead.
constexpr int slice_milliseconds = 10;

boost::system::error_code error_of(int result) noexcept
{
  return result < 0 ? boost::system::error_code(errno, boost::system::system_category())
                    : boost::system::error_code();
}

} // namespace

blocked_thread::blocked_thread(wake_events& kept, const void* tenure) noexcept
  : kept_(kept),
    event_(kept.take()),
    tenure_(tenure)
{
}

blocked_thread::~blocked_thread()
{
  if (edges_ != no_descriptor)
    close_descriptor(edges_);
  kept_.put(event_);
}

bool blocked_thread::wait(int fd, short events, boost::system::error_code& ec)
{
  if (error_stays_)
    return wait_for_news(fd, events, ec);
  ::pollfd both[2] = {{fd, events, 0}, {event_.descriptor, POLLIN, 0}};
  const int result = has_event() ? sys::ppoll(both, 2, nullptr, nullptr)
                                 : sys::poll(both, 1, slice_milliseconds);
  ec = error_of(result);
  const bool is_ready = result > 0 && both[0].revents != 0;
  error_stays_ = is_ready && (both[0].revents & events) == 0;
  return is_ready;
}

void blocked_thread::pause(boost::system::error_code& ec)
{
  ::pollfd event = {event_.descriptor, POLLIN, 0};
  ec = error_of(sys::poll(&event, has_event() ? 1 : 0, slice_milliseconds));
}

#if defined(__linux__)

// Edges: the first wait for them tells what is there, each later one what is new.
bool blocked_thread::wait_for_news(int fd, short events, boost::system::error_code& ec)
{
  if (edges_ == no_descriptor && !make_edges(fd, events))
  {
    pause(ec);
    return !ec;
  }
  ::epoll_event found = {};
  ec = error_of(sys::epoll_wait(edges_, &found, 1, -1));
  return !ec && found.data.fd == fd;
}

bool blocked_thread::make_edges(int fd, short events) noexcept
{
  const int made = has_event() ? sys::epoll_create1(EPOLL_CLOEXEC) : no_descriptor;
  if (made == no_descriptor)
    return false;
  ::epoll_event own = {};
  own.events = EPOLLET | static_cast<std::uint32_t>(events);
  own.data.fd = fd;
  ::epoll_event wake = {};
  wake.events = EPOLLIN;
  wake.data.fd = event_.descriptor;
  const bool is_made = sys::epoll_ctl(made, EPOLL_CTL_ADD, fd, &own) == 0
    && sys::epoll_ctl(made, EPOLL_CTL_ADD, event_.descriptor, &wake) == 0;
  if (is_made)
    edges_ = made;
  else
    close_descriptor(made);
  return is_made;
}

#else

bool blocked_thread::wait_for_news(int, short, boost::system::error_code& ec)
{
  pause(ec);
  return !ec;
}

#endif

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
