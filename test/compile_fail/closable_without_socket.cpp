// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A protocol whose socket is none of Asio's: there is nothing to specialise.
//
// expect: P::socket has to be Asio's basic_stream_socket, basic_datagram_socket
// control

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <interlock/closable.hpp>

struct own_socket
{
};

struct own_protocol
{
  using endpoint = boost::asio::ip::tcp::endpoint;
#if defined(EXPECT_OK)
  using socket = boost::asio::basic_stream_socket<own_protocol>;
#else
  using socket = own_socket;
#endif

  int type() const noexcept;
  int protocol() const noexcept;
  int family() const noexcept;
};

int main()
{
  boost::asio::io_context context;
  interlock::closable<own_protocol>::socket s(context);
}
