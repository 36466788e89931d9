// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/descriptor/waiting.hpp>

#include <cerrno>
#include <cstdint>

#include <poll.h>
#include <sys/eventfd.h>

#include <interlock/detail/descriptor/cancellation_disabled.hpp>
#include <interlock/detail/descriptor/close_descriptor.hpp>
#include <interlock/detail/descriptor/process.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

namespace {

/// The calling thread's wake-up eventfd.
class wake_event
{
public:
  wake_event() = default;
  wake_event(const wake_event&) = delete;
  wake_event& operator=(const wake_event&) = delete;

  ~wake_event()
  {
    reset();
  }

  int get() noexcept
  {
    // A child of fork shares the eventfd's count with its parent's thread: each would take the
    // other's wake-ups.
    if (fd_ >= 0 && owner_ != this_process())
      reset();
    if (fd_ < 0)
    {
      fd_ = sys::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
      owner_ = this_process();
    }
    return fd_;
  }

private:
  void reset() noexcept
  {
    if (fd_ >= 0)
      close_descriptor(fd_);
    fd_ = -1;
  }

  int fd_ = -1;
  long owner_ = 0;
};

thread_local sys::per_thread<wake_event> this_thread_event;

// Without an eventfd no closer can wake the wait; it looks at the phase this often instead.
constexpr int slice_milliseconds = 10;

} // namespace

blocked_thread::blocked_thread(const void* tenure) noexcept
  : tenure_(tenure),
    event_(sys::of_this_thread(this_thread_event).get())
{
}

bool blocked_thread::wait(int fd, short events, boost::system::error_code& ec) noexcept
{
  ::pollfd both[2] = {{fd, events, 0}, {event_, POLLIN, 0}};
  const int result = event_ < 0 ? sys::poll(both, 1, slice_milliseconds)
                                : sys::ppoll(both, 2, nullptr, nullptr);
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
  if (event_ >= 0 && sys::write(event_, &one, sizeof(one)) < 0)
    return;
}

void blocked_thread_list::remove(blocked_thread& w) noexcept
{
  blocked_threads_.remove(w);
  std::uint64_t count = 0;
  if (w.woken_ && w.event_ >= 0 && sys::read(w.event_, &count, sizeof(count)) < 0)
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
