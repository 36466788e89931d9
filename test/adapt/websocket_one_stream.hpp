// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The cases of a websocket's close in which what stands below it makes no difference. A file that includes this defines
// the name of its suite, INTERLOCK_TEST_SUITE, and what the websocket stands on, `stream`.

#ifndef INTERLOCK_TEST_ADAPT_WEBSOCKET_ONE_STREAM_HPP
#define INTERLOCK_TEST_ADAPT_WEBSOCKET_ONE_STREAM_HPP

#include <atomic>
#include <optional>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <interlock/adapt/websocket_ssl.hpp>

#include "websocket_scene.hpp"

BOOST_AUTO_TEST_SUITE(INTERLOCK_TEST_SUITE)

using namespace adapt;

BOOST_AUTO_TEST_CASE(deliver_sends_the_frame_and_waits_for_no_answer)
{
  websocket_scene<stream> s(
    [](auto& far)
    {
      far.wait();
      far.read();
    });
  s.close(close_mode::deliver(long_enough));
  BOOST_TEST(s.c.told() == "acknowledged, frame sent" + of_tls<stream>);
  BOOST_TEST(s.far.seen.reason.code == websocket::close_code::normal);
}

// --- Peers that would hold it.

BOOST_AUTO_TEST_CASE(a_peer_that_never_answers_the_frame_does_not_hold_it)
{
  for (const bool is_read : {false, true})
    BOOST_TEST_CONTEXT("a read is outstanding: " << is_read)
    {
      websocket_scene<stream> s(waits);
      std::optional<pending_read> r;
      if (is_read)
        r.emplace(*s.near);
      s.close(close_mode::graceful(milliseconds(50)));
      BOOST_TEST((!r || r->calls == 1));
      BOOST_TEST(s.c.told_of_layers() == "frame sent" + of_tls<stream>);
    }
}

// --- Beast's own.

template <class Stream>
void close_as_beast_does()
{
  websocket_scene<Stream> s(reads);
  error_code ended = not_called;
  s.near->async_close(websocket::close_code::normal, [&](error_code ec) { ended = ec; });
  s.end();
  BOOST_TEST(s.far.seen.is(0, websocket::close_code::normal));
  BOOST_TEST(ended != not_called);
  BOOST_TEST(ended != aborted);
  if (!is_tls<Stream>)
    BOOST_TEST(ended == success);
}

// --- Lifetime, and other threads.

BOOST_AUTO_TEST_CASE(the_last_owner_may_give_the_stream_up_while_it_closes)
{
  websocket_scene<stream> s(reads);
  const std::weak_ptr<websocket::stream<stream>> weak = s.near;
  large_message m(*s.near);
  pending_read r(*s.near);
  s.start_close(close_mode::graceful(long_enough));
  s.near.reset();
  BOOST_TEST(!weak.expired());
  s.end();
  BOOST_TEST(s.far.seen.is(much, websocket::close_code::normal));
  BOOST_TEST(r.calls == 1);
  BOOST_TEST(s.c.report.close_frame_answered);
  BOOST_TEST(weak.expired());
}

BOOST_AUTO_TEST_CASE(another_thread_closes_and_cancels)
{
  const asio::cancellation_type types[] = {asio::cancellation_type::none,
    asio::cancellation_type::terminal, asio::cancellation_type::partial,
    asio::cancellation_type::total};
  for (int i = 0; i != 20; ++i)
  {
    websocket_scene<stream> s(reads);
    asio::cancellation_signal signal;
    std::atomic<int> calls{0};
    large_message m(*s.near);
    pending_read r(*s.near);
    std::thread runs([&] { s.context.run(); });
    interlock::async_close(s.near, close_mode::graceful(long_enough),
      asio::bind_cancellation_slot(
        signal.slot(), [&](error_code, const stack_report&) { ++calls; }));
    spend(std::chrono::microseconds(i * 50));
    signal.emit(types[i % 4]);
    runs.join();
    BOOST_TEST(calls == 1);
    BOOST_TEST(r.calls == 1);
    BOOST_TEST(m.ec != not_called);
    BOOST_TEST(!interlock::detail::functions::connection_of(*s.near).is_open());
  }
}

BOOST_AUTO_TEST_SUITE_END()

#endif // INTERLOCK_TEST_ADAPT_WEBSOCKET_ONE_STREAM_HPP
