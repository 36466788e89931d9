// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// AF_UNIX streams, as boost/asio/local/stream_protocol.hpp.

#ifndef INTERLOCK_LOCAL_STREAM_PROTOCOL_HPP
#define INTERLOCK_LOCAL_STREAM_PROTOCOL_HPP

#include <boost/asio/local/stream_protocol.hpp>

#include <interlock/closable.hpp>
#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace local {

/// AF_UNIX streams with sockets and acceptors that any thread may close.
/** Its @c socket is a basic_stream_socket, its @c acceptor a basic_socket_acceptor. */
using stream_protocol = closable<boost::asio::local::stream_protocol>;

} // namespace local
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_LOCAL_STREAM_PROTOCOL_HPP
