// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A pair of connected AF_UNIX sockets, as boost/asio/local/connect_pair.hpp. Asio's own does not compile for
// closable protocols: it requires an endpoint type of the same protocol, and theirs is Asio's.

#ifndef INTERLOCK_LOCAL_CONNECT_PAIR_HPP
#define INTERLOCK_LOCAL_CONNECT_PAIR_HPP

#include <boost/system/error_code.hpp>

#include <interlock/closable.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/core/throw_if.hpp>
#include <interlock/detail/descriptor/calls.hpp>
#include <interlock/detail/members/closing_members.hpp>
#include <interlock/detail/members/opened_descriptors.hpp>

namespace interlock {
inline namespace abi_0 {
namespace local {

/// Open two closed sockets as a connected pair. On failure each socket is as before.
/**
 * @asio
 *
 * @par Error Codes
 * @li Those of socketpair(2) and epoll_ctl(2), unchanged.
 * @li boost::asio::error::already_open: one of the sockets is open.
 * @li interlock::error::retired: one of the sockets has been retired.
 *
 * @any_thread
 */
template <class Protocol, class Executor1, class Executor2>
boost::system::error_code connect_pair(
  boost::asio::basic_socket<closable<Protocol>, Executor1>& socket1,
  boost::asio::basic_socket<closable<Protocol>, Executor2>& socket2, boost::system::error_code& ec)
{
  const Protocol protocol;
  return detail::functions::open_connected(
    detail::access::core(socket1), detail::access::core(socket2), ec,
    [&protocol](int(&fds)[2], boost::system::error_code& e)
    { detail::calls::pair(protocol.family(), protocol.type(), protocol.protocol(), fds, e); },
    detail::take_socket<Protocol>{protocol});
}

/// Open two closed sockets as a connected pair. On failure each socket is as before.
template <class Protocol, class Executor1, class Executor2>
void connect_pair(boost::asio::basic_socket<closable<Protocol>, Executor1>& socket1,
  boost::asio::basic_socket<closable<Protocol>, Executor2>& socket2)
{
  detail::functions::or_throw(
    "connect_pair", [&](boost::system::error_code& ec) { connect_pair(socket1, socket2, ec); });
}

} // namespace local
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_LOCAL_CONNECT_PAIR_HPP
