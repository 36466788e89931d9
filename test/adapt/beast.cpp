// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The close of Beast's streams with timeouts over an Interlock socket, alone and below TLS.

#include <boost/version.hpp>

// Beast 1.81 does not compile with the Asio of 1.74, nor the one of 1.74 with this compiler.
#if BOOST_VERSION >= 108100

#include <interlock/adapt/beast_ssl.hpp>

#include <tuple>

#include <boost/beast/core/rate_policy.hpp>

#include "tls_scene.hpp"

namespace beast = boost::beast;

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
  tcp::acceptor acceptor(context, any_local_port());
  asio::ip::tcp::socket far(context);
  far.connect(acceptor.local_endpoint());
  const auto near = std::make_shared<timed_stream>(acceptor.accept());
  std::vector<char> input(1 << 16);
  near->expires_after(long_enough);
  large_write w(*near);
  closed c;
  interlock::async_close(near, close_mode::deliver(long_enough), c.handler());
  std::size_t got = 0;
  error_code ended;
  while (!ended)
  {
    context.poll();
    if (far.available() != 0 || c.times != 0)
      got += far.read_some(asio::buffer(input), ended);
  }
  BOOST_TEST(got == much);
  BOOST_TEST(ended == asio::error::eof);
  BOOST_TEST(w.ec == success);
  BOOST_TEST(c.told() == "acknowledged");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(
  tls_over_it_delivers_what_is_being_written_and_a_clean_end, Stream, tls_streams)
{
  tls_scene<Stream> s(TLS1_3_VERSION, reads_and_answers);
  large_write w(*s.near);
  s.close(close_mode::graceful(long_enough));
  BOOST_TEST(w.ec == success);
  BOOST_TEST(s.far.seen.is(much));
  BOOST_TEST(s.c.told() == "peer_closed, sent, answered");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_timeout_of_beasts_ends_the_close, Stream, tls_streams)
{
  tls_scene<Stream> s(TLS1_3_VERSION, reads_and_waits);
  s.near->next_layer().expires_after(milliseconds(50));
  small_read r(*s.near);
  s.close(close_mode::graceful(std::chrono::hours(1)));
  BOOST_TEST(has_failed(r.ec));
  BOOST_TEST(s.c.told_of_layers() == "sent");
}

BOOST_AUTO_TEST_SUITE_END()

#endif
