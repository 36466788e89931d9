// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The socket in the place of its protocol.
//
// expect: P is no protocol; it needs endpoint, type(), protocol() and family()
// control

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <interlock/closable.hpp>

int main()
{
#if defined(EXPECT_OK)
  using protocol = interlock::closable<boost::asio::ip::tcp>;
#else
  using protocol = interlock::closable<boost::asio::ip::tcp::socket>;
#endif
  boost::asio::io_context context;
  protocol::socket s(context);
}
