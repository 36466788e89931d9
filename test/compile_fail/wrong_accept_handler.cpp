// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A handler of an accept without the new socket. With concepts the compiler lists all overloads.
//
// expect with -std=c++17 in 30 lines: MoveAcceptHandler type requirements not met
// expect with -std=c++20 in 76 lines: constraints not satisfied | substitution failure
// control

#include <boost/asio/io_context.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/ip/tcp.hpp>

int main()
{
  boost::asio::io_context context;
  interlock::ip::tcp::acceptor a(context);
#if defined(EXPECT_OK)
  a.async_accept([](boost::system::error_code, interlock::ip::tcp::socket) {});
#else
  a.async_accept([](boost::system::error_code) {});
#endif
}
