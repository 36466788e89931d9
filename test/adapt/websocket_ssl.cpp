// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The close of a websocket over TLS on an Interlock socket: both layers end, and no peer holds them. Other ways for TLS
// to stand there are in files of their own, since each takes long to compile.

#include <boost/version.hpp>

// Beast 1.81 does not compile with the Asio of 1.74, nor the one of 1.74 with this compiler.
#if BOOST_VERSION >= 108100

#include <interlock/adapt/websocket_ssl.hpp>

#include <tuple>

#include <boost/asio/ssl.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/rate_policy.hpp>

#include <interlock/ip/tcp.hpp>

namespace {

using interlock::ip::tcp;
using stream = boost::asio::ssl::stream<tcp::socket>;
using streams = std::tuple<stream>;

} // namespace

#define INTERLOCK_TEST_SUITE test_websocket_ssl
#include "websocket_cases.hpp"
#include "websocket_one_stream.hpp"

BOOST_AUTO_TEST_SUITE(test_websocket_ssl)

// Beast's own close compiles over a stream that has no adapter.
using limited_stream = beast::basic_stream<tcp, asio::any_io_executor, beast::simple_rate_policy>;

[[maybe_unused]] void close_of_beasts(websocket::stream<ssl::stream<limited_stream>>& ws)
{
  ws.async_close(websocket::close_code::normal, [](error_code) {});
}

BOOST_AUTO_TEST_CASE(a_close_of_beasts_tears_the_connection_down)
{
  close_as_beast_does<stream>();
}

BOOST_AUTO_TEST_CASE(tls_below_a_websocket_that_is_not_open_ends_all_the_same)
{
  using scene = websocket_scene<stream>;
  error_code seen;
  scene s(scene::not_open(),
    [&](auto& far)
    {
      char byte = 0;
      far.stream.next_layer().read_some(asio::buffer(&byte, 1), seen);
    });
  s.close(close_mode::deliver(long_enough));
  BOOST_TEST(seen == asio::error::eof);
  BOOST_TEST(s.c.told() == "acknowledged, sent");
}

BOOST_AUTO_TEST_SUITE_END()

#endif
