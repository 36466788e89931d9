// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A move of an acceptor into Asio's own, whose constructor would take it for one of its kind.
//
// expect in 20 lines: Use to_asio()
// control

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <interlock/ip/tcp.hpp>

int main()
{
  boost::asio::io_context context;
  interlock::ip::tcp::acceptor ours(context);
#if defined(EXPECT_OK)
  interlock::ip::tcp::acceptor other(std::move(ours));
#else
  boost::asio::ip::tcp::acceptor other(std::move(ours));
#endif
}
