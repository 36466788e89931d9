// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// AF_UNIX sequenced packets, as boost/asio/local/seq_packet_protocol.hpp. Empty where Asio has none
// (before Boost 1.82): INTERLOCK_HAS_SEQ_PACKET_PROTOCOL says so.

#ifndef INTERLOCK_LOCAL_SEQ_PACKET_PROTOCOL_HPP
#define INTERLOCK_LOCAL_SEQ_PACKET_PROTOCOL_HPP

#include <interlock/config.hpp>
#include <interlock/detail/core/asio_features.hpp>

#if defined(INTERLOCK_HAS_SEQ_PACKET_PROTOCOL)

#include <boost/asio/local/seq_packet_protocol.hpp>

#include <interlock/closable.hpp>

namespace interlock {
inline namespace abi_0 {
namespace local {

/// AF_UNIX sequenced packets with sockets and acceptors that any thread may close.
/** Its @c socket is a basic_seq_packet_socket, its @c acceptor a basic_socket_acceptor. */
using seq_packet_protocol = closable<boost::asio::local::seq_packet_protocol>;

} // namespace local
} // namespace abi_0
} // namespace interlock

#endif

#endif // INTERLOCK_LOCAL_SEQ_PACKET_PROTOCOL_HPP
