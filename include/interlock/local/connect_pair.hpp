// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A pair of connected AF_UNIX sockets, as boost/asio/local/connect_pair.hpp. Asio's own insists on
// an endpoint type that is named after the protocol, and ours are Asio's.

#ifndef INTERLOCK_LOCAL_CONNECT_PAIR_HPP
#define INTERLOCK_LOCAL_CONNECT_PAIR_HPP

#include <boost/system/error_code.hpp>

#include <interlock/closable.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/core/throw_if.hpp>
#include <interlock/detail/number/calls.hpp>
#include <interlock/detail/number/close_number.hpp>

namespace interlock
{
inline namespace abi_0
{
namespace local
{

/// Connect two sockets that are closed to each other. On failure both are closed, or open as they were.
template <class Protocol, class Executor1, class Executor2>
boost::system::error_code connect_pair(
  boost::asio::basic_socket<closable<Protocol>, Executor1>& socket1,
  boost::asio::basic_socket<closable<Protocol>, Executor2>& socket2, boost::system::error_code& ec)
{
  const closable<Protocol> protocol;
  int numbers[2];
  detail::calls::pair(protocol.family(), protocol.type(), protocol.protocol(), numbers, ec);
  if (ec)
    return ec;
  socket1.assign(protocol, numbers[0], ec);
  if (ec)
  {
    detail::close_number(numbers[0]);
    detail::close_number(numbers[1]);
    return ec;
  }
  socket2.assign(protocol, numbers[1], ec);
  if (ec)
  {
    detail::close_number(numbers[1]);
    socket1.close();
  }
  return ec;
}

/// Connect two sockets that are closed to each other. On failure both are closed, or open as they were.
template <class Protocol, class Executor1, class Executor2>
void connect_pair(boost::asio::basic_socket<closable<Protocol>, Executor1>& socket1,
  boost::asio::basic_socket<closable<Protocol>, Executor2>& socket2)
{
  detail::or_throw(
    "connect_pair", [&](boost::system::error_code& ec) { connect_pair(socket1, socket2, ec); });
}

} // namespace local
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_LOCAL_CONNECT_PAIR_HPP
