// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// TCP, as boost/asio/ip/tcp.hpp.

#ifndef INTERLOCK_IP_TCP_HPP
#define INTERLOCK_IP_TCP_HPP

#include <boost/asio/ip/tcp.hpp>

#include <interlock/closable.hpp>
#include <interlock/config.hpp>
#include <interlock/ip/basic_endpoint.hpp>
#include <interlock/ip/basic_resolver.hpp>

namespace interlock {
inline namespace abi_0 {
namespace ip {

/// TCP with sockets and acceptors that any thread may close.
/** Its @c socket is a basic_stream_socket, its @c acceptor a basic_socket_acceptor. */
using tcp = closable<boost::asio::ip::tcp>;

} // namespace ip
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_IP_TCP_HPP
