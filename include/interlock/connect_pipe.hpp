// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The two ends of a pipe, as boost/asio/connect_pipe.hpp.

#ifndef INTERLOCK_CONNECT_PIPE_HPP
#define INTERLOCK_CONNECT_PIPE_HPP

#include <boost/system/error_code.hpp>

#include <interlock/basic_readable_pipe.hpp>
#include <interlock/basic_writable_pipe.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/core/throw_if.hpp>
#include <interlock/detail/descriptor/calls.hpp>
#include <interlock/detail/members/closing_members.hpp>
#include <interlock/detail/members/opened_descriptors.hpp>

namespace interlock {
inline namespace abi_0 {

/// Open two closed ends as an anonymous pipe. On failure each end is as before.
/**
 * @asio
 *
 * @par Error Codes
 * @li Those of pipe2(2) and epoll_ctl(2), unchanged.
 * @li boost::asio::error::already_open: one of the ends is open.
 * @li interlock::error::retired: one of the ends has been retired.
 *
 * @any_thread
 */
template <class Executor1, class Executor2>
boost::system::error_code connect_pipe(basic_readable_pipe<Executor1>& read_end,
  basic_writable_pipe<Executor2>& write_end, boost::system::error_code& ec)
{
  return detail::functions::open_connected(detail::access::core(read_end),
    detail::access::core(write_end), ec, detail::calls::pipe, detail::take_descriptor());
}

/// Open two closed ends as an anonymous pipe. On failure each end is as before.
template <class Executor1, class Executor2>
void connect_pipe(
  basic_readable_pipe<Executor1>& read_end, basic_writable_pipe<Executor2>& write_end)
{
  detail::functions::or_throw(
    "connect_pipe", [&](boost::system::error_code& ec) { connect_pipe(read_end, write_end, ec); });
}

} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_CONNECT_PIPE_HPP
