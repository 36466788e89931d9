// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The close of a websocket over an Interlock socket, and over the layers that may stand between: what the peer sees of it,
// what the report tells, that no peer holds it, and that Beast's own close stays as it is.

#include <boost/version.hpp>

// Beast 1.81 does not compile with the Asio of 1.74, nor the one of 1.74 with this compiler.
#if BOOST_VERSION >= 108100

#include <interlock/adapt/websocket_ssl.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/test/unit_test.hpp>

#include "support/loop.hpp"
#include "support/wait_until.hpp"
#include "websocket_scene.hpp"

using interlock::close_mode;
using interlock::close_outcome;
using interlock::ip::tcp;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

using namespace adapt;

using timed_stream = beast::basic_stream<tcp>;

/// What a websocket may stand on.
using streams = std::tuple<tcp::socket, timed_stream, ssl::stream<tcp::socket>,
  ssl::stream<timed_stream>, beast::ssl_stream<timed_stream>>;
using some_streams = std::tuple<tcp::socket, ssl::stream<timed_stream>>;
using plain_scene = websocket_scene<tcp::socket>;
using tls_scene_of_websocket = websocket_scene<ssl::stream<tcp::socket>>;

const error_code success;
const error_code aborted = asio::error::operation_aborted;
const error_code not_called = asio::error::fault;

constexpr seconds long_enough(60);
constexpr std::size_t much = 8 << 20;

/// A message of 8 MB whose write is outstanding.
struct large_message
{
  std::vector<char> data = std::vector<char>(much);
  error_code ec = not_called;

  template <class Websocket>
  void start(Websocket& ws)
  {
    ws.async_write(asio::buffer(data), [this](error_code e, std::size_t) { ec = e; });
  }
};

/// A read that is outstanding.
struct pending_read
{
  beast::flat_buffer input;
  int calls = 0;
  error_code ec = not_called;

  template <class Websocket>
  void start(Websocket& ws)
  {
    ws.async_read(input,
      [this](error_code e, std::size_t)
      {
        ++calls;
        ec = e;
      });
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_websocket)

// --- What the peer sees.

BOOST_AUTO_TEST_CASE_TEMPLATE(
  a_close_beside_an_outstanding_message_delivers_all_of_it_and_the_frame_with_its_code, Stream,
  streams)
{
  websocket_end seen;
  websocket_scene<Stream> s([&](auto& far) { seen = read_to_close_frame(far); });
  large_message m;
  closed c;
  m.start(*s.near);
  interlock::async_close(s.near, close_mode::graceful(long_enough),
    {websocket::close_code::going_away, "done"}, c.handler());
  s.context.run();
  s.join();
  BOOST_TEST(m.ec == success);
  BOOST_TEST(seen.bytes == much);
  BOOST_TEST(seen.is_clean());
  BOOST_TEST(seen.code == websocket::close_code::going_away);
  BOOST_TEST(seen.text == "done");
  BOOST_TEST(c.calls == 1);
  BOOST_TEST(c.ec == success);
  BOOST_TEST(c.report.close_frame_sent);
  BOOST_TEST(c.report.close_frame_answered);
  BOOST_TEST(c.report.connection.outcome == close_outcome::peer_closed);
  BOOST_TEST(c.report.notify_sent == is_tls<Stream>::value);
  BOOST_TEST(!c.report.truncated);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(without_a_reason_the_frame_says_normal, Stream, some_streams)
{
  websocket_end seen;
  websocket_scene<Stream> s([&](auto& far) { seen = read_to_close_frame(far); });
  closed c;
  interlock::async_close(s.near, close_mode::graceful(long_enough), c.handler());
  s.context.run();
  s.join();
  BOOST_TEST(seen.is_clean());
  BOOST_TEST(seen.code == websocket::close_code::normal);
  BOOST_TEST(c.report.close_frame_answered);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(deliver_sends_the_frame_and_waits_for_no_answer, Stream, some_streams)
{
  websocket_end seen;
  websocket_scene<Stream> s(
    [&](auto& far)
    {
      s.wait();
      seen = read_to_close_frame(far);
    });
  closed c;
  interlock::async_close(s.near, close_mode::deliver(long_enough), c.handler());
  s.context.run();
  BOOST_TEST(c.calls == 1);
  BOOST_TEST(c.report.connection.outcome == close_outcome::acknowledged);
  BOOST_TEST(c.report.close_frame_sent);
  BOOST_TEST(!c.report.close_frame_answered);
  BOOST_TEST(c.report.notify_sent == is_tls<Stream>::value);
  s.let_go();
  s.join();
  BOOST_TEST(seen.code == websocket::close_code::normal);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_read_that_is_outstanding_ends_and_the_stack_closes, Stream, streams)
{
  websocket_end seen;
  websocket_scene<Stream> s([&](auto& far) { seen = read_to_close_frame(far); });
  pending_read r;
  closed c;
  int reads_before_close = 0;
  r.start(*s.near);
  interlock::async_close(s.near, close_mode::graceful(long_enough),
    [&](error_code ec, const interlock::stack_report& report)
    {
      reads_before_close = r.calls;
      c.handler()(ec, report);
    });
  s.context.run();
  s.join();
  BOOST_TEST(r.calls == 1);
  BOOST_TEST(reads_before_close == 1);
  BOOST_TEST((r.ec != success));
  BOOST_TEST(seen.is_clean());
  BOOST_TEST(c.report.close_frame_sent);
  BOOST_TEST(c.report.close_frame_answered);
  BOOST_TEST(c.report.connection.outcome == close_outcome::peer_closed);
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

BOOST_AUTO_TEST_CASE_TEMPLATE(
  a_peer_that_never_answers_the_frame_does_not_hold_it, Stream, some_streams)
{
  for (const bool reads : {false, true})
  {
    websocket_scene<Stream> s([&](auto&) { s.wait(); });
    pending_read r;
    closed c;
    if (reads)
      r.start(*s.near);
    interlock::async_close(s.near, close_mode::graceful(milliseconds(50)), c.handler());
    s.context.run();
    BOOST_TEST(c.calls == 1);
    BOOST_TEST(r.calls == (reads ? 1 : 0));
    BOOST_TEST(c.report.close_frame_sent);
    BOOST_TEST(!c.report.close_frame_answered);
    BOOST_TEST(c.report.notify_sent == is_tls<Stream>::value);
    BOOST_TEST(!c.report.notify_answered);
    BOOST_TEST(!c.report.truncated);
  }
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

BOOST_AUTO_TEST_CASE(tls_below_a_websocket_that_is_not_open_ends_all_the_same)
{
  error_code seen;
  tls_scene_of_websocket s(tls_scene_of_websocket::not_open(),
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
  websocket_end seen;
  websocket_scene<Stream> s([&](auto& far) { seen = read_to_close_frame(far); });
  error_code ended = not_called;
  s.near->async_close(websocket::close_code::normal, [&](error_code ec) { ended = ec; });
  s.context.run();
  s.join();
  BOOST_TEST(seen.is_clean());
  BOOST_TEST((ended != not_called && ended != aborted));
  if (!is_tls<Stream>::value)
    BOOST_TEST(ended == success);
}

// --- Lifetime, and other threads.

BOOST_AUTO_TEST_CASE_TEMPLATE(
  the_last_owner_may_give_the_stream_up_while_it_closes, Stream, some_streams)
{
  websocket_end seen;
  websocket_scene<Stream> s([&](auto& far) { seen = read_to_close_frame(far); });
  const std::weak_ptr<websocket::stream<Stream>> stream = s.near;
  large_message m;
  pending_read r;
  closed c;
  m.start(*s.near);
  r.start(*s.near);
  interlock::async_close(s.near, close_mode::graceful(long_enough), c.handler());
  s.near.reset();
  BOOST_TEST(!stream.expired());
  s.context.run();
  s.join();
  BOOST_TEST(seen.bytes == much);
  BOOST_TEST(seen.is_clean());
  BOOST_TEST(r.calls == 1);
  BOOST_TEST(c.report.close_frame_answered);
  BOOST_TEST(stream.expired());
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

BOOST_AUTO_TEST_CASE_TEMPLATE(another_thread_closes_and_cancels, Stream, some_streams)
{
  const asio::cancellation_type types[] = {asio::cancellation_type::none,
    asio::cancellation_type::terminal, asio::cancellation_type::partial,
    asio::cancellation_type::total};
  for (int i = 0; i != 20; ++i)
  {
    websocket_scene<Stream> s([&](auto& far) { read_to_close_frame(far); });
    asio::cancellation_signal signal;
    std::atomic<int> calls{0};
    large_message m;
    pending_read r;
    m.start(*s.near);
    r.start(*s.near);
    std::thread runs([&] { s.context.run(); });
    interlock::async_close(s.near, close_mode::graceful(long_enough),
      asio::bind_cancellation_slot(
        signal.slot(), [&](error_code, const interlock::stack_report&) { ++calls; }));
    for (int turns = i * 50; turns != 0; --turns)
      std::this_thread::yield();
    signal.emit(types[i % 4]);
    runs.join();
    BOOST_TEST(calls == 1);
    BOOST_TEST(r.calls == 1);
    BOOST_TEST((m.ec != not_called));
    BOOST_TEST(!interlock::detail::functions::connection_of(*s.near).is_open());
  }
}

BOOST_AUTO_TEST_SUITE_END()

#endif
