// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A socket template that is not that of the protocol.
//
// expect: The protocol's own socket is neither a datagram nor a raw socket
// control

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>

#include <interlock/closable.hpp>

int main()
{
#if defined(EXPECT_OK)
  using protocol = boost::asio::ip::udp;
#else
  using protocol = boost::asio::ip::tcp;
#endif
  boost::asio::io_context context;
  interlock::basic_datagram_socket<protocol> s(context);
}
