// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Datagrams of any family, as boost/asio/generic/datagram_protocol.hpp.

#ifndef INTERLOCK_GENERIC_DATAGRAM_PROTOCOL_HPP
#define INTERLOCK_GENERIC_DATAGRAM_PROTOCOL_HPP

#include <boost/asio/generic/datagram_protocol.hpp>

#include <interlock/closable.hpp>
#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace generic {

/// Datagrams of any family, with sockets that any thread may close.
/** Its @c socket is a basic_datagram_socket. */
using datagram_protocol = closable<boost::asio::generic::datagram_protocol>;

} // namespace generic
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_GENERIC_DATAGRAM_PROTOCOL_HPP
