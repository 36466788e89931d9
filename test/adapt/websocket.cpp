// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The close of a websocket over an Interlock socket, and over the layers that may stand between: what the peer sees
// of it, what the report tells, that no peer holds it, and that Beast's own close stays as it is.

#include <boost/version.hpp>

// Beast 1.81 does not compile with the Asio of 1.74, nor the one of 1.74 with this compiler.
#if BOOST_VERSION >= 108100

#include <interlock/adapt/websocket.hpp>

#include <chrono>
#include <cstddef>
#include <tuple>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/test/unit_test.hpp>

#include "websocket_cases.hpp"
#include "websocket_scene.hpp"

using interlock::ip::tcp;

namespace {

using namespace adapt;

using timed_stream = beast::basic_stream<tcp>;

/// What a websocket may stand on.
using streams = std::tuple<tcp::socket, timed_stream>;
using plain_scene = websocket_scene<tcp::socket>;

} // namespace

BOOST_AUTO_TEST_SUITE(test_websocket)

// --- What the peer sees.

BOOST_AUTO_TEST_CASE_TEMPLATE(
  a_close_beside_an_outstanding_message_delivers_all_of_it_and_the_frame_with_its_code, Stream,
  streams)
{
  close_beside_a_message<Stream>();
}

BOOST_AUTO_TEST_CASE(deliver_sends_the_frame_and_waits_for_no_answer)
{
  deliver_a_frame<tcp::socket>();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_read_that_is_outstanding_ends_and_the_stack_closes, Stream, streams)
{
  close_beside_a_read<Stream>();
}

BOOST_AUTO_TEST_CASE(without_a_reason_the_frame_says_normal)
{
  websocket_end seen;
  plain_scene s([&](auto& far) { seen = read_to_close_frame(far); });
  closed c;
  interlock::async_close(s.near, close_mode::graceful(long_enough), c.handler());
  s.context.run();
  s.join();
  BOOST_TEST(seen.is_clean());
  BOOST_TEST(seen.code == websocket::close_code::normal);
  BOOST_TEST(c.report.close_frame_answered);
}

BOOST_AUTO_TEST_CASE(an_immediate_close_sends_no_frame)
{
  websocket_end seen;
  plain_scene s([&](auto& far) { seen = read_to_close_frame(far); });
  closed c;
  interlock::async_close(s.near, close_mode::immediate(), c.handler());
  s.context.run();
  s.join();
  BOOST_TEST(!seen.is_clean());
  BOOST_TEST(!c.report.close_frame_sent);
  BOOST_TEST(c.report.connection.outcome == close_outcome::closed);
}

// --- Peers that would hold it.

BOOST_AUTO_TEST_CASE(a_peer_that_never_answers_the_frame_does_not_hold_it)
{
  close_with_a_silent_peer<tcp::socket>();
}

BOOST_AUTO_TEST_CASE(a_peer_that_sends_messages_for_ever_does_not_hold_it)
{
  plain_scene s(
    [](auto& far)
    {
      const std::vector<char> data(16384);
      error_code ec;
      while (!ec)
        far.write(asio::buffer(data), ec);
    });
  closed c;
  interlock::async_close(s.near, close_mode::graceful(milliseconds(100)), c.handler());
  s.context.run();
  s.join();
  BOOST_TEST(c.calls == 1);
  BOOST_TEST(c.report.close_frame_sent);
  BOOST_TEST(!c.report.close_frame_answered);
}

BOOST_AUTO_TEST_CASE(messages_that_are_not_read_leave_no_time_for_a_frame)
{
  plain_scene s([&](auto&) { s.wait(); });
  large_message m;
  closed c;
  m.start(*s.near);
  interlock::async_close(s.near, close_mode::graceful(milliseconds(50)), c.handler());
  s.context.run();
  BOOST_TEST((m.ec != success && m.ec != not_called));
  BOOST_TEST(c.calls == 1);
  BOOST_TEST(!c.report.close_frame_sent);
  BOOST_TEST(c.report.connection.outcome == close_outcome::timed_out);
}

// --- A websocket that is not open.

BOOST_AUTO_TEST_CASE(a_handshake_that_is_not_over_gets_no_frame)
{
  error_code seen;
  plain_scene s(plain_scene::not_open(),
    [&](auto& far)
    {
      char byte = 0;
      far.next_layer().read_some(asio::buffer(&byte, 1), seen);
    });
  error_code accepted = not_called;
  s.near->async_accept([&](error_code ec) { accepted = ec; });
  s.context.poll();
  closed c;
  interlock::async_close(s.near, close_mode::graceful(long_enough), c.handler());
  s.context.run();
  s.join();
  BOOST_TEST(seen == asio::error::eof);
  BOOST_TEST((accepted != success && accepted != not_called));
  BOOST_TEST(!c.report.close_frame_sent);
  BOOST_TEST(c.report.connection.outcome == close_outcome::peer_closed);
}

BOOST_AUTO_TEST_CASE(a_websocket_that_the_peer_has_closed_gets_no_frame)
{
  plain_scene s(
    [](auto& far)
    {
      error_code ignored;
      far.close(websocket::close_code::normal, ignored);
    });
  pending_read r;
  r.start(*s.near);
  s.context.run();
  BOOST_TEST((r.ec == websocket::error::closed));
  closed c;
  interlock::async_close(s.near, close_mode::graceful(long_enough), c.handler());
  s.context.restart();
  s.context.run();
  BOOST_TEST(c.calls == 1);
  BOOST_TEST(c.ec == success);
  BOOST_TEST(!c.report.close_frame_sent);
}

// --- Beast's own.

BOOST_AUTO_TEST_CASE_TEMPLATE(a_close_of_beasts_tears_the_connection_down, Stream, streams)
{
  close_without_the_stack<Stream>();
}

// --- Lifetime, and other threads.

BOOST_AUTO_TEST_CASE(the_last_owner_may_give_the_stream_up_while_it_closes)
{
  close_without_an_owner<tcp::socket>();
}

BOOST_AUTO_TEST_CASE(another_thread_closes_and_cancels)
{
  close_from_another_thread<tcp::socket>();
}

BOOST_AUTO_TEST_CASE(a_websocket_that_the_program_keeps_is_closed_by_reference)
{
  websocket_end seen;
  plain_scene s([&](auto& far) { seen = read_to_close_frame(far); });
  closed c;
  interlock::async_close(*s.near, close_mode::graceful(long_enough),
    websocket::close_code::service_restart, c.handler());
  s.context.run();
  s.join();
  BOOST_TEST(seen.code == websocket::close_code::service_restart);
  BOOST_TEST(c.report.close_frame_answered);
}

BOOST_AUTO_TEST_SUITE_END()

#endif
