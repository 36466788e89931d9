// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Where messages go to and come from: addresses that are free, and pairs of AF_UNIX.

#ifndef INTERLOCK_TEST_SUPPORT_MESSAGE_ENDS_HPP
#define INTERLOCK_TEST_SUPPORT_MESSAGE_ENDS_HPP

#include <string>

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/local/datagram_protocol.hpp>

#include "support/descriptor_pairs.hpp"

namespace support {

/// Any port of 127.0.0.1.
inline boost::asio::ip::udp::endpoint loopback_udp()
{
  return {boost::asio::ip::address_v4::loopback(), 0};
}

/// A name in the abstract namespace: nothing of it is left in the file system.
inline boost::asio::local::datagram_protocol::endpoint abstract_name(const std::string& name)
{
  return {std::string(1, '\0') + "interlock-" + std::to_string(::getpid()) + name};
}

/// A connected pair of `type`, SOCK_DGRAM or SOCK_SEQPACKET.
inline ends message_ends(int type)
{
  int pair[2];
  checked(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair), "socketpair");
  return {fd(pair[0]), fd(pair[1])};
}

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_MESSAGE_ENDS_HPP
