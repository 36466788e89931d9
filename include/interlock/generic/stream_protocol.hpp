// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Streams of any family, as boost/asio/generic/stream_protocol.hpp.

#ifndef INTERLOCK_GENERIC_STREAM_PROTOCOL_HPP
#define INTERLOCK_GENERIC_STREAM_PROTOCOL_HPP

#include <boost/asio/generic/stream_protocol.hpp>

#include <interlock/closable.hpp>
#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace generic {

/// Streams of any family, with sockets that any thread may close.
/** Its @c socket is a basic_stream_socket. */
using stream_protocol = closable<boost::asio::generic::stream_protocol>;

} // namespace generic
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_GENERIC_STREAM_PROTOCOL_HPP
