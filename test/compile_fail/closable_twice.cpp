// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A protocol that is closable already: the one below it is meant.
//
// expect: P is closable already; give Asio's protocol
// control

#include <boost/asio/io_context.hpp>

#include <interlock/ip/tcp.hpp>

int main()
{
#if defined(EXPECT_OK)
  using protocol = interlock::closable<boost::asio::ip::tcp>;
#else
  using protocol = interlock::closable<interlock::ip::tcp>;
#endif
  boost::asio::io_context context;
  protocol::socket s(context);
}
