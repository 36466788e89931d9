// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The close of a websocket over TLS, without the header that takes the websocket's teardown over. Beast's own would
// end TLS by itself.
//
// expect: a websocket over TLS needs <interlock/adapt/websocket_ssl.hpp>
// control

#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/adapt/ssl.hpp>
#include <interlock/adapt/websocket.hpp>
#include <interlock/ip/tcp.hpp>
#include <interlock/stack_report.hpp>

#if defined(EXPECT_OK)
#include <interlock/adapt/websocket_ssl.hpp>
#endif

using stream =
  boost::beast::websocket::stream<boost::asio::ssl::stream<interlock::ip::tcp::socket>>;

void close(stream& s)
{
  interlock::async_close(s, interlock::close_mode::abort(),
    [](boost::system::error_code, const interlock::stack_report&) {});
}
