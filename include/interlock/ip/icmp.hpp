// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// ICMP, as boost/asio/ip/icmp.hpp.

#ifndef INTERLOCK_IP_ICMP_HPP
#define INTERLOCK_IP_ICMP_HPP

#include <boost/asio/ip/icmp.hpp>

#include <interlock/closable.hpp>
#include <interlock/config.hpp>
#include <interlock/ip/basic_endpoint.hpp>
#include <interlock/ip/basic_resolver.hpp>

namespace interlock {
inline namespace abi_0 {
namespace ip {

/// ICMP with raw sockets that any thread may close.
/** Its @c socket is a basic_raw_socket. */
using icmp = closable<boost::asio::ip::icmp>;

} // namespace ip
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_IP_ICMP_HPP
