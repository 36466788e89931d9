// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The close of a websocket over TLS, however that stands on an Interlock socket: both layers end, and no peer holds
// them.

#include <boost/version.hpp>

// Beast 1.81 does not compile with the Asio of 1.74, nor the one of 1.74 with this compiler.
#if BOOST_VERSION >= 108100

#include <interlock/adapt/websocket_ssl.hpp>

#include <tuple>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/rate_policy.hpp>
#include <boost/test/unit_test.hpp>

#include "websocket_cases.hpp"
#include "websocket_scene.hpp"

using interlock::ip::tcp;

namespace {

using namespace adapt;

using tls_stream = ssl::stream<tcp::socket>;
using timed_stream = beast::basic_stream<tcp>;
using streams = std::tuple<tls_stream, ssl::stream<timed_stream>, beast::ssl_stream<timed_stream>>;
using scene = websocket_scene<tls_stream>;

// Beast's own close compiles over a stream that has no adapter.
using limited_stream =
  beast::basic_stream<interlock::ip::tcp, asio::any_io_executor, beast::simple_rate_policy>;

[[maybe_unused]] void close_of_beasts(websocket::stream<ssl::stream<limited_stream>>& ws)
{
  ws.async_close(websocket::close_code::normal, [](error_code) {});
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_websocket_ssl)

BOOST_AUTO_TEST_CASE_TEMPLATE(
  a_close_beside_an_outstanding_message_delivers_all_of_it_and_the_frame_with_its_code, Stream,
  streams)
{
  close_beside_a_message<Stream>();
}

BOOST_AUTO_TEST_CASE(deliver_sends_the_frame_and_waits_for_no_answer)
{
  deliver_a_frame<tls_stream>();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_read_that_is_outstanding_ends_and_the_stack_closes, Stream, streams)
{
  close_beside_a_read<Stream>();
}

BOOST_AUTO_TEST_CASE(a_peer_that_never_answers_the_frame_does_not_hold_it)
{
  close_with_a_silent_peer<tls_stream>();
}

BOOST_AUTO_TEST_CASE(tls_below_a_websocket_that_is_not_open_ends_all_the_same)
{
  error_code seen;
  scene s(scene::not_open(),
    [&](auto& far)
    {
      char byte = 0;
      far.next_layer().read_some(asio::buffer(&byte, 1), seen);
    });
  closed c;
  interlock::async_close(s.near, close_mode::deliver(long_enough), c.handler());
  s.context.run();
  s.join();
  BOOST_TEST(seen == asio::error::eof);
  BOOST_TEST(!c.report.close_frame_sent);
  BOOST_TEST(c.report.notify_sent);
}

BOOST_AUTO_TEST_CASE(a_close_of_beasts_tears_the_connection_down)
{
  close_without_the_stack<tls_stream>();
}

BOOST_AUTO_TEST_CASE(the_last_owner_may_give_the_stream_up_while_it_closes)
{
  close_without_an_owner<tls_stream>();
}

BOOST_AUTO_TEST_CASE(another_thread_closes_and_cancels)
{
  close_from_another_thread<tls_stream>();
}

BOOST_AUTO_TEST_SUITE_END()

#endif
