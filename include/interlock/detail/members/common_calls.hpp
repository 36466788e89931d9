// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The synchronous calls behind the members of all I/O objects. `core` is an io_core, `t` the tenure entered.

#ifndef INTERLOCK_DETAIL_MEMBERS_COMMON_CALLS_HPP
#define INTERLOCK_DETAIL_MEMBERS_COMMON_CALLS_HPP

#include <atomic>
#include <cerrno>
#include <cstddef>

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/gather.hpp>
#include <interlock/detail/core/io_core.hpp>
#include <interlock/detail/descriptor/calls.hpp>

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

/// Records the mode, which decides whether a synchronous call waits. In either, `prepare` sets O_NONBLOCK.
template <class Core>
error_code set_non_blocking(Core& core, bool mode, error_code& ec)
{
  core.inside(ec,
    [mode](auto& t, error_code& e)
    {
      t.prepare(e);
      if (e)
        return;
      t.flags().non_blocking = mode;
      // As in Asio, leaving the mode leaves the native mode as well.
      if (!mode)
        t.flags().native_non_blocking = false;
    });
  return ec;
}

template <class Core>
error_code set_native_non_blocking(Core& core, bool mode, error_code& ec)
{
  core.inside(ec,
    [mode](auto& t, error_code& e)
    {
      // As in Asio: the native mode cannot be blocking while the other is non-blocking.
      if (!mode && t.flags().non_blocking)
        e = boost::asio::error::invalid_argument;
      else
        t.prepare(e);
      if (!e)
        t.flags().native_non_blocking = mode;
    });
  return ec;
}

template <class Core, class Command>
error_code control(Core& core, Command& command, error_code& ec)
{
  const auto name = static_cast<unsigned long>(command.name());
  if (name == FIONBIO)
    return set_non_blocking(core, *static_cast<const int*>(command.data()) != 0, ec);
  core.inside(ec,
    [&](auto& t, error_code& e)
    {
      if (name != FIONREAD && name != SIOCATMARK)
        t.taint();
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
        t.wait(events, e);
    });
  return ec;
}

/// Whether a transfer into empty buffers needs no system call, and a read of zero bytes is the end of file.
/// Neither holds for messages, which can be empty.
template <class Tenure>
bool is_stream(const Tenure& t) noexcept
{
  if constexpr (protocol_of<typename Tenure::inner_type>::is_socket)
    return t.protocol().type() == SOCK_STREAM;
  else
    return true;
}

/// Reads with `transfer(descriptor, pieces, ec)`.
template <class Core, class Buffers, class Transfer>
std::size_t read_blocking(Core& core, const Buffers& buffers, error_code& ec, Transfer transfer)
{
  calls::pieces into = gather<boost::asio::mutable_buffer>(buffers);
  return core.blocking(POLLIN, ec,
    [&](auto& t, error_code& e) -> std::size_t
    {
      e = error_code();
      if (into.bytes == 0 && is_stream(t))
        return 0;
      const std::size_t n = transfer(t.fd(), into, e);
      if (n == 0 && !e && is_stream(t))
        e = boost::asio::error::eof;
      return n;
    });
}

template <class Core, class Buffers, class Transfer>
std::size_t write_blocking(Core& core, const Buffers& buffers, error_code& ec, Transfer transfer)
{
  calls::pieces from = gather<boost::asio::const_buffer>(buffers);
  return core.blocking(POLLOUT, ec,
    [&](auto& t, error_code& e) -> std::size_t
    {
      e = error_code();
      return from.bytes == 0 && is_stream(t) ? 0 : transfer(t.fd(), from, e);
    });
}

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_MEMBERS_COMMON_CALLS_HPP
