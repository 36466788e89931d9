// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Objects are not copied: two owners of one descriptor are what this library is against.
//
// expect: deleted
// control

#include <boost/asio/io_context.hpp>

#include <interlock/ip/tcp.hpp>

int main()
{
  boost::asio::io_context context;
  interlock::ip::tcp::socket one(context);
#if !defined(EXPECT_OK)
  interlock::ip::tcp::socket other(one);
#endif
}
