// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/closing/edge_set.hpp>

#include <chrono>
#include <cstdint>
#include <ctime>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/epoll.h>
#endif

#include <interlock/detail/descriptor/cancellation_disabled.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

namespace {

using duration = sys::clock::duration;

int timeout(duration time) noexcept
{
  constexpr int without_end = -1;
  return time == duration::max() ? without_end : whole_milliseconds(time);
}

bool is_short(duration time) noexcept
{
  return time > duration::zero() && time < std::chrono::milliseconds(1);
}

/// poll(2) and epoll_wait(2) know whole milliseconds only.
bool wait_readable(int fd, duration time) noexcept
{
  ::pollfd p = {fd, POLLIN, 0};
  if (!is_short(time))
    return sys::poll(&p, 1, timeout(time)) > 0;
  ::timespec t = {};
  t.tv_nsec = static_cast<long>(std::chrono::nanoseconds(time).count());
  return sys::ppoll(&p, 1, &t, nullptr) > 0;
}

#if defined(__linux__)

int make_set(int wake_event) noexcept
{
  const int made = sys::epoll_create1(EPOLL_CLOEXEC);
  ::epoll_event wake = {};
  wake.events = EPOLLIN | EPOLLET;
  wake.data.ptr = nullptr;
  if (made == no_descriptor || sys::epoll_ctl(made, EPOLL_CTL_ADD, wake_event, &wake) == 0)
    return made;
  // A set that could not be woken would be worse than none.
  close_descriptor(made);
  return no_descriptor;
}

#else

int make_set(int) noexcept
{
  return no_descriptor;
}

#endif

} // namespace

bool edge_set::open() noexcept
{
  const user in_use(*this);
  if (!in_use)
    return false;
  if (wake_event_ == no_descriptor)
    wake_event_ = sys::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_event_ != no_descriptor && set_ == no_descriptor)
    set_ = make_set(wake_event_);
  return wake_event_ != no_descriptor;
}

void edge_set::close_descriptors() noexcept
{
  for (int* fd : {&set_, &wake_event_})
    if (*fd != no_descriptor)
      close_descriptor(std::exchange(*fd, no_descriptor));
}

void edge_set::wake() noexcept
{
  const cancellation_disabled disabled;
  const user in_use(*this);
  if (!in_use)
    return;
  const std::uint64_t one = 1;
  // Fails only when the count is full, and then the thread wakes in any case.
  if (sys::write(wake_event_, &one, sizeof(one)) < 0)
    return;
}

std::size_t edge_set::wait_for_wake(duration time) noexcept
{
  std::uint64_t count = 0;
  if (wait_readable(wake_event_, time) && sys::read(wake_event_, &count, sizeof(count)) < 0)
    return 0;
  return 0;
}

#if defined(__linux__)

bool edge_set::add(int fd, bool input, void* tag) noexcept
{
  ::epoll_event edges = {};
  edges.events = EPOLLOUT | EPOLLET;
  if (input)
    edges.events |= EPOLLIN | EPOLLRDHUP;
  edges.data.ptr = tag;
  return set_ != no_descriptor && sys::epoll_ctl(set_, EPOLL_CTL_ADD, fd, &edges) == 0;
}

void edge_set::remove(int fd) noexcept
{
  ::epoll_event none = {};
  sys::epoll_ctl(set_, EPOLL_CTL_DEL, fd, &none);
}

// A set is readable when it has an event.
std::size_t edge_set::wait(duration time, void* (&tags)[most]) noexcept
{
  if (set_ == no_descriptor)
    return wait_for_wake(time);
  if (is_short(time))
  {
    if (!wait_readable(set_, time))
      return 0;
    time = duration::zero();
  }
  ::epoll_event events[most];
  const int count = sys::epoll_wait(set_, events, static_cast<int>(most), timeout(time));
  std::size_t found = 0;
  for (int i = 0; i < count; ++i)
    if (events[i].data.ptr)
      tags[found++] = events[i].data.ptr;
  return found;
}

#else

bool edge_set::add(int, bool, void*) noexcept
{
  return false;
}

void edge_set::remove(int) noexcept {}

std::size_t edge_set::wait(duration time, void* (&)[most]) noexcept
{
  return wait_for_wake(time);
}

#endif

} // namespace detail
} // namespace abi_0
} // namespace interlock
