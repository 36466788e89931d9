// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A handler of a stack's close, which cannot take the report of the stack.
//
// expect with -std=c++17: StackCloseHandler type requirements not met
// expect with -std=c++20: constraints not satisfied | no matching function
// control

#include <boost/asio/ssl/stream.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/adapt/ssl.hpp>
#include <interlock/close_mode.hpp>
#include <interlock/close_report.hpp>
#include <interlock/ip/tcp.hpp>
#include <interlock/stack_report.hpp>

void close(boost::asio::ssl::stream<interlock::ip::tcp::socket>& s)
{
#if defined(EXPECT_OK)
  interlock::async_close(s, interlock::close_mode::abort(),
    [](boost::system::error_code, const interlock::stack_report&) {});
#else
  interlock::async_close(s, interlock::close_mode::abort(),
    [](boost::system::error_code, const interlock::close_report&) {});
#endif
}
