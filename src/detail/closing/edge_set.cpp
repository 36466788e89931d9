// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/closing/edge_set.hpp>
#include <interlock/detail/sys.hpp>

#include <cstdint>

#include <poll.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/epoll.h>
#endif

namespace interlock {
inline namespace abi_0 {
namespace detail {

edge_set::~edge_set()
{
  abandon(no_descriptor);
}

void edge_set::abandon(int wake_event) noexcept
{
  wake_event_ = wake_event;
  if (fd_ != no_descriptor)
    close_descriptor(fd_);
  fd_ = no_descriptor;
}

std::size_t edge_set::wait_for_wake(int milliseconds) noexcept
{
  // poll(2) takes a negative descriptor for none, and only waits.
  ::pollfd wake = {wake_event_, POLLIN, 0};
  if (sys::poll(&wake, 1, milliseconds) > 0)
    read_wake();
  return 0;
}

void edge_set::read_wake() noexcept
{
  std::uint64_t count = 0;
  // Fails if somebody else has read it, which is as good.
  if (sys::read(wake_event_, &count, sizeof(count)) < 0)
    return;
}

#if defined(__linux__)

bool edge_set::open() noexcept
{
  if (fd_ != no_descriptor)
    return true;
  const int made = sys::epoll_create1(EPOLL_CLOEXEC);
  if (made < 0)
    return false;
  ::epoll_event wake = {};
  wake.events = EPOLLIN;
  wake.data.ptr = nullptr;
  // A set that could not be woken would be worse than none.
  if (wake_event_ != no_descriptor && sys::epoll_ctl(made, EPOLL_CTL_ADD, wake_event_, &wake) != 0)
  {
    close_descriptor(made);
    return false;
  }
  fd_ = made;
  return true;
}

bool edge_set::add(int fd, bool input, void* tag) noexcept
{
  ::epoll_event edges = {};
  edges.events = EPOLLOUT | EPOLLET;
  if (input)
    edges.events |= EPOLLIN | EPOLLRDHUP;
  edges.data.ptr = tag;
  return fd_ != no_descriptor && sys::epoll_ctl(fd_, EPOLL_CTL_ADD, fd, &edges) == 0;
}

void edge_set::remove(int fd) noexcept
{
  ::epoll_event none = {};
  sys::epoll_ctl(fd_, EPOLL_CTL_DEL, fd, &none);
}

std::size_t edge_set::wait(int milliseconds, void* (&tags)[most]) noexcept
{
  if (fd_ == no_descriptor)
    return wait_for_wake(milliseconds);
  ::epoll_event events[most];
  const int count = sys::epoll_wait(fd_, events, static_cast<int>(most), milliseconds);
  std::size_t found = 0;
  for (int i = 0; i < count; ++i)
    if (events[i].data.ptr)
      tags[found++] = events[i].data.ptr;
    else
      read_wake();
  return found;
}

#else

bool edge_set::open() noexcept
{
  return false;
}

bool edge_set::add(int, bool, void*) noexcept
{
  return false;
}

void edge_set::remove(int) noexcept {}

std::size_t edge_set::wait(int milliseconds, void* (&)[most]) noexcept
{
  return wait_for_wake(milliseconds);
}

#endif

} // namespace detail
} // namespace abi_0
} // namespace interlock
