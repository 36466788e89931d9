// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// UDP, as boost/asio/ip/udp.hpp.

#ifndef INTERLOCK_IP_UDP_HPP
#define INTERLOCK_IP_UDP_HPP

#include <boost/asio/ip/udp.hpp>

#include <interlock/closable.hpp>
#include <interlock/config.hpp>
#include <interlock/ip/basic_endpoint.hpp>
#include <interlock/ip/basic_resolver.hpp>

namespace interlock {
inline namespace abi_0 {
namespace ip {

/// UDP with sockets that any thread may close.
/** Its @c socket is a basic_datagram_socket. */
using udp = closable<boost::asio::ip::udp>;

} // namespace ip
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_IP_UDP_HPP
