// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/tenure/blocked_call.hpp>

#include <cerrno>
#include <mutex>

#include <interlock/detail/descriptor/cancellation_disabled.hpp>
#include <interlock/detail/descriptor/short_locks.hpp>
#include <interlock/detail/descriptor/signals.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

blocked_call::entry::entry(tenure_base& t) noexcept
  : inside(t),
    thread(t.adopted_wake_events(), &t)
{
}

bool blocked_call::wait(short events, error_code& ec)
{
  return repeat(ec, [&] { return entry_->thread.wait(tenure_.fd(), events, ec); });
}

bool blocked_call::pause(error_code& ec)
{
  return repeat(ec,
    [&]
    {
      entry_->thread.pause(ec);
      return !ec && tenure_.current_phase() == phase::open;
    });
}

// `block` returns false with ec clear when the phase is to be looked at.
template <class Block>
bool blocked_call::repeat(error_code& ec, Block block)
{
  for (;;)
  {
    enter_list();
    if (tenure_.current_phase() != phase::open)
    {
      ec = error_code(ECANCELED, boost::system::system_category());
      return false;
    }
    if (block())
      return true;
    if (ec && !goes_on_after(ec))
      return false;
  }
}

// Announced each time: a child that has adopted meanwhile has forgotten it.
void blocked_call::enter_list()
{
  if (entry_ && !entry_->thread.is_of_this_process())
    leave_list();
  if (!entry_)
  {
    entry_.emplace(tenure_);
    tenure_.add_blocked_thread(entry_->thread);
  }
  tenure_.announce_blocked_thread();
}

// A signal handler may have forked, and then the lists of the child have to be made anew.
void blocked_call::leave_list() noexcept
{
  const cancellation_disabled disabled;
  renew_short_locks();
  tenure_.remove_blocked_thread(entry_->thread);
  entry_.reset();
}

bool blocked_call::goes_on_after(const error_code& ec) const noexcept
{
  return ec.value() == EINTR && on_signal_ == on_signal::restart && goes_on_after_signal();
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
