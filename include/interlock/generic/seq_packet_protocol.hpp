// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Sequenced packets of any family, as boost/asio/generic/seq_packet_protocol.hpp.

#ifndef INTERLOCK_GENERIC_SEQ_PACKET_PROTOCOL_HPP
#define INTERLOCK_GENERIC_SEQ_PACKET_PROTOCOL_HPP

#include <boost/asio/generic/seq_packet_protocol.hpp>

#include <interlock/closable.hpp>
#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace generic {

/// Sequenced packets of any family, with sockets that any thread may close.
/** Its @c socket is a basic_seq_packet_socket. */
using seq_packet_protocol = closable<boost::asio::generic::seq_packet_protocol>;

} // namespace generic
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_GENERIC_SEQ_PACKET_PROTOCOL_HPP
