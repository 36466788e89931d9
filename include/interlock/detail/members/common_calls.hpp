// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The synchronous calls behind the members of all I/O objects. `core` is an io_core, `t` the tenure entered.

#ifndef INTERLOCK_DETAIL_MEMBERS_COMMON_CALLS_HPP
#define INTERLOCK_DETAIL_MEMBERS_COMMON_CALLS_HPP

#include <atomic>
#include <cerrno>

#include <sys/ioctl.h>

#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/io_core.hpp>
#include <interlock/detail/descriptor/calls.hpp>
#include <interlock/detail/tenure/blocked_call.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

using boost::system::error_code;

inline bool is_out_of_descriptors(const error_code& ec) noexcept
{
  return ec.category() == boost::system::system_category()
    && (ec.value() == EMFILE || ec.value() == ENFILE);
}

/// If `ec` says that no descriptor is left: waits, for 100 ms at most, for the closes queued now. True: the
/// caller should try again, also if none was queued, because the last one may have run after the failure.
inline bool descriptors_may_have_come(tenure_base& t, const error_code& ec) noexcept
{
  if (!is_out_of_descriptors(ec))
    return false;
  t.await_queued_closes();
  return true;
}

namespace functions {

template <class Core>
error_code cancel_all(Core& core, error_code& ec)
{
  core.inside(ec, [](auto& t, error_code& e) { t.inner().cancel(e); });
  return ec;
}

template <class Core>
bool get_flag(Core& core, std::atomic<bool> user_flags::*flag)
{
  error_code ignored;
  return core.inside(ignored, [flag](auto& t, error_code&) -> bool { return t.flags().*flag; });
}

/// Records the mode, which decides whether a synchronous call waits. O_NONBLOCK, once the library has set it, stays.
template <class Core>
error_code set_non_blocking(Core& core, bool mode, error_code& ec)
{
  core.inside(ec,
    [mode](auto& t, error_code& e)
    {
      // As in Asio, leaving the mode leaves the native mode as well.
      if (!mode)
        return t.become_blocking(e);
      t.prepare(e);
      if (!e)
        t.flags().non_blocking = true;
    });
  return ec;
}

template <class Core>
error_code set_native_non_blocking(Core& core, bool mode, error_code& ec)
{
  core.inside(ec,
    [mode](auto& t, error_code& e)
    {
      if (mode)
      {
        t.prepare(e);
        if (!e)
          t.flags().native_non_blocking = true;
      }
      // As in Asio: the native mode cannot be blocking while the other is non-blocking.
      else if (t.flags().non_blocking)
        e = boost::asio::error::invalid_argument;
      else
        t.become_blocking(e);
    });
  return ec;
}

template <class Core, class Command>
error_code control(Core& core, Command& command, error_code& ec)
{
  const auto name = static_cast<unsigned long>(command.name());
  if (name == FIONBIO)
    return functions::set_non_blocking(core, *static_cast<const int*>(command.data()) != 0, ec);
  core.inside(ec,
    [&](auto& t, error_code& e)
    {
      if (name != FIONREAD && name != SIOCATMARK)
        t.marks().taint();
      calls::control(t.fd(), name, command.data(), e);
    });
  return ec;
}

template <class Core>
error_code wait_ready(Core& core, short events, error_code& ec)
{
  core.inside(ec,
    [events](auto& t, error_code& e)
    {
      if (calls::ready(t.fd(), events))
        return;
      if (t.flags().non_blocking)
        e = boost::asio::error::would_block;
      else
        blocked_call(t, on_signal::end).wait(events, e);
    });
  return ec;
}

} // namespace functions
} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_MEMBERS_COMMON_CALLS_HPP
