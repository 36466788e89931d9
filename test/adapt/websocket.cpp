// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The close of a websocket over an Interlock socket, and over the layers that may stand between: what the peer sees
// of it, what the report tells, that no peer holds it, and that Beast's own close stays as it is.

#include <boost/version.hpp>

// Beast 1.81 does not compile with the Asio of 1.74, nor the one of 1.74 with this compiler.
#if BOOST_VERSION >= 108100

#include <interlock/adapt/websocket.hpp>

#include <tuple>

#include <boost/beast/core/basic_stream.hpp>

#include <interlock/ip/tcp.hpp>

namespace {

using stream = interlock::ip::tcp::socket;
using streams = std::tuple<stream, boost::beast::basic_stream<interlock::ip::tcp>>;

} // namespace

#define INTERLOCK_TEST_SUITE test_websocket
#include "websocket_cases.hpp"
#include "websocket_one_stream.hpp"

BOOST_AUTO_TEST_SUITE(test_websocket)

using scene = websocket_scene<stream>;

// --- The frame.

BOOST_AUTO_TEST_CASE(an_immediate_close_sends_no_frame)
{
  scene s(reads);
  s.close(close_mode::immediate());
  BOOST_TEST(s.far.seen.ec != error_code(websocket::error::closed));
  BOOST_TEST(s.c.told() == "closed");
}

BOOST_AUTO_TEST_CASE(a_websocket_that_the_program_keeps_is_closed_by_reference)
{
  scene s(reads);
  interlock::async_close(*s.near, close_mode::graceful(long_enough),
    websocket::close_code::service_restart, s.c.handler());
  s.end();
  BOOST_TEST(s.far.seen.is(0, websocket::close_code::service_restart));
  BOOST_TEST(s.c.report.close_frame_answered);
}

// --- Peers that would hold it.

BOOST_AUTO_TEST_CASE(a_peer_that_sends_messages_for_ever_does_not_hold_it)
{
  scene s(
    [](auto& far)
    {
      const std::vector<char> data(16384);
      error_code ec;
      while (!ec)
        far.stream.write(asio::buffer(data), ec);
    });
  s.close(close_mode::graceful(milliseconds(100)));
  BOOST_TEST(s.c.told_of_layers() == "frame sent");
}

BOOST_AUTO_TEST_CASE(messages_that_are_not_read_leave_no_time_for_a_frame)
{
  scene s(waits);
  large_message m(*s.near);
  s.close(close_mode::graceful(milliseconds(50)));
  BOOST_TEST(has_failed(m.ec));
  BOOST_TEST(s.c.told() == "timed_out");
}

// --- A websocket that is not open.

BOOST_AUTO_TEST_CASE(a_handshake_that_is_not_over_gets_no_frame)
{
  error_code seen;
  scene s(scene::not_open(),
    [&](auto& far)
    {
      char byte = 0;
      far.stream.next_layer().read_some(asio::buffer(&byte, 1), seen);
    });
  error_code accepted = not_called;
  s.near->async_accept([&](error_code ec) { accepted = ec; });
  s.context.poll();
  s.close(close_mode::graceful(long_enough));
  BOOST_TEST(seen == asio::error::eof);
  BOOST_TEST(has_failed(accepted));
  BOOST_TEST(s.c.told() == "peer_closed");
}

BOOST_AUTO_TEST_CASE(a_websocket_that_the_peer_has_closed_gets_no_frame)
{
  scene s(
    [](auto& far)
    {
      error_code ignored;
      far.stream.close(websocket::close_code::normal, ignored);
    });
  pending_read r(*s.near);
  s.run();
  BOOST_TEST(r.ec == error_code(websocket::error::closed));
  s.close(close_mode::graceful(long_enough));
  BOOST_TEST(s.c.times == 1);
  BOOST_TEST(s.c.ec == success);
  BOOST_TEST(!s.c.report.close_frame_sent);
}

// --- Beast's own.

BOOST_AUTO_TEST_CASE_TEMPLATE(a_close_of_beasts_tears_the_connection_down, Stream, streams)
{
  close_as_beast_does<Stream>();
}

BOOST_AUTO_TEST_SUITE_END()

#endif
