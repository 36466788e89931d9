// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A handler of a close with a mode, which cannot take the report.
//
// expect with -std=c++17 in 32 lines: CloseHandler type requirements not met
// expect with -std=c++20 in 40 lines: constraints not satisfied | substitution failure
// control

#include <boost/asio/io_context.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/close_mode.hpp>
#include <interlock/close_report.hpp>
#include <interlock/ip/tcp.hpp>

int main()
{
  boost::asio::io_context context;
  interlock::ip::tcp::socket s(context);
#if defined(EXPECT_OK)
  s.async_close(interlock::close_mode::abort(),
    [](boost::system::error_code, const interlock::close_report&) {});
#else
  s.async_close(interlock::close_mode::abort(), [](boost::system::error_code) {});
#endif
}
