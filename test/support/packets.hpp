// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A protocol as a user may define it: sequenced packets of AF_UNIX, whatever Asio has.

#ifndef INTERLOCK_TEST_SUPPORT_PACKETS_HPP
#define INTERLOCK_TEST_SUPPORT_PACKETS_HPP

#include <sys/socket.h>

#include <boost/asio/basic_seq_packet_socket.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/local/basic_endpoint.hpp>

namespace support {

struct packets
{
  using endpoint = boost::asio::local::basic_endpoint<packets>;
  using socket = boost::asio::basic_seq_packet_socket<packets>;
  using acceptor = boost::asio::basic_socket_acceptor<packets>;

  int type() const noexcept
  {
    return SOCK_SEQPACKET;
  }

  int protocol() const noexcept
  {
    return 0;
  }

  int family() const noexcept
  {
    return AF_UNIX;
  }
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_PACKETS_HPP
