// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// AF_UNIX datagrams, as boost/asio/local/datagram_protocol.hpp.

#ifndef INTERLOCK_LOCAL_DATAGRAM_PROTOCOL_HPP
#define INTERLOCK_LOCAL_DATAGRAM_PROTOCOL_HPP

#include <boost/asio/local/datagram_protocol.hpp>

#include <interlock/closable.hpp>
#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace local {

/// AF_UNIX datagrams with sockets that any thread may close.
/** Its @c socket is a basic_datagram_socket. */
using datagram_protocol = closable<boost::asio::local::datagram_protocol>;

} // namespace local
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_LOCAL_DATAGRAM_PROTOCOL_HPP
