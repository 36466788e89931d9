// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The cases of a websocket's close that hold over each stream below it, as function templates of that stream.

#ifndef INTERLOCK_TEST_ADAPT_WEBSOCKET_CASES_HPP
#define INTERLOCK_TEST_ADAPT_WEBSOCKET_CASES_HPP

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/test/unit_test.hpp>

#include <interlock/adapt/websocket_ssl.hpp>

#include "websocket_scene.hpp"

namespace adapt {

using interlock::close_mode;
using interlock::close_outcome;
using std::chrono::milliseconds;
using std::chrono::seconds;

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

template <class Stream>
void close_beside_a_message()
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

template <class Stream>
void deliver_a_frame()
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

template <class Stream>
void close_beside_a_read()
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

template <class Stream>
void close_with_a_silent_peer()
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

template <class Stream>
void close_without_the_stack()
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

template <class Stream>
void close_without_an_owner()
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

template <class Stream>
void close_from_another_thread()
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

} // namespace adapt

#endif // INTERLOCK_TEST_ADAPT_WEBSOCKET_CASES_HPP
