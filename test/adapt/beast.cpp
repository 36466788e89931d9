// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The close of Beast's streams with timeouts over an Interlock socket, alone and below TLS.

#include <boost/version.hpp>

// Beast 1.81 does not compile with the Asio of 1.74, nor the one of 1.74 with this compiler.
#if BOOST_VERSION >= 108100

#include <interlock/adapt/beast_ssl.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <tuple>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/rate_policy.hpp>
#include <boost/test/unit_test.hpp>

#include "tls_scene.hpp"

namespace beast = boost::beast;
using interlock::close_mode;
using interlock::close_outcome;
using interlock::ip::tcp;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

using namespace adapt;

using timed_stream = beast::basic_stream<tcp>;
using tls_streams = std::tuple<ssl::stream<timed_stream>, beast::ssl_stream<timed_stream>>;

static_assert(interlock::detail::is_stack<timed_stream>::value, "");
static_assert(!interlock::detail::is_stack<beast::basic_stream<asio::ip::tcp>>::value,
  "a connection of Asio's own has no close");
static_assert(!interlock::detail::is_stack<
                beast::basic_stream<tcp, asio::any_io_executor, beast::simple_rate_policy>>::value,
  "a write that waits for its rate cannot be seen");

} // namespace

BOOST_AUTO_TEST_SUITE(test_beast)

BOOST_AUTO_TEST_CASE(a_close_beside_an_outstanding_write_delivers_all_of_it)
{
  asio::io_context context;
  tcp::acceptor acceptor(context, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  asio::ip::tcp::socket far(context);
  far.connect(acceptor.local_endpoint());
  const auto near = std::make_shared<timed_stream>(acceptor.accept());
  const std::vector<char> data(much);
  std::vector<char> input(1 << 16);
  error_code written = not_called;
  near->expires_after(long_enough);
  asio::async_write(*near, asio::buffer(data), [&](error_code ec, std::size_t) { written = ec; });
  closed c;
  interlock::async_close(near, close_mode::deliver(long_enough), c.handler());
  std::size_t got = 0;
  error_code ended;
  while (!ended)
  {
    context.poll();
    if (far.available() != 0 || c.calls != 0)
      got += far.read_some(asio::buffer(input), ended);
  }
  BOOST_TEST(got == much);
  BOOST_TEST(ended == asio::error::eof);
  BOOST_TEST(written == success);
  BOOST_TEST(c.calls == 1);
  BOOST_TEST(c.report.connection.outcome == close_outcome::acknowledged);
  BOOST_TEST(!c.report.truncated);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(
  tls_over_it_delivers_what_is_being_written_and_a_clean_end, Stream, tls_streams)
{
  read_end seen;
  adapt::tls_scene<Stream> s(TLS1_3_VERSION,
    [&](tls_peer& p)
    {
      seen = p.read_all();
      p.notify();
    });
  const std::vector<char> data(much);
  error_code written = not_called;
  asio::async_write(*s.near, asio::buffer(data), [&](error_code ec, std::size_t) { written = ec; });
  closed c;
  interlock::async_close(s.near, close_mode::graceful(long_enough), c.handler());
  s.context.run();
  s.join();
  BOOST_TEST(written == success);
  BOOST_TEST(seen.bytes == much);
  BOOST_TEST(seen.is_clean());
  BOOST_TEST(c.report.notify_answered);
  BOOST_TEST(c.report.connection.outcome == close_outcome::peer_closed);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_timeout_of_beasts_ends_the_close, Stream, tls_streams)
{
  adapt::tls_scene<Stream> s(TLS1_3_VERSION,
    [&](tls_peer& p)
    {
      p.read_all();
      s.wait();
    });
  std::array<char, 1> byte;
  error_code read = not_called;
  s.near->next_layer().expires_after(milliseconds(50));
  s.near->async_read_some(asio::buffer(byte), [&](error_code ec, std::size_t) { read = ec; });
  closed c;
  interlock::async_close(s.near, close_mode::graceful(std::chrono::hours(1)), c.handler());
  s.context.run();
  BOOST_TEST((read != success && read != not_called));
  BOOST_TEST(c.calls == 1);
  BOOST_TEST(c.ec == success);
  BOOST_TEST(c.report.notify_sent);
  BOOST_TEST(!c.report.notify_answered);
}

BOOST_AUTO_TEST_SUITE_END()

#endif
