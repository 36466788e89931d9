// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The close of a TLS stream over an Interlock socket: what the peer sees of it, what the report tells, and that no peer
// holds it.

#include <interlock/adapt/ssl.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "support/descriptor_pairs.hpp"
#include "tls_scene.hpp"

using interlock::close_mode;
using interlock::close_outcome;
using interlock::ip::tcp;
using std::chrono::milliseconds;

namespace {

using namespace adapt;
using tls_stream = ssl::stream<tcp::socket>;
using scene = tls_scene<tls_stream>;

const auto versions = boost::unit_test::data::make({TLS1_2_VERSION, TLS1_3_VERSION});

} // namespace

BOOST_AUTO_TEST_SUITE(test_ssl)

// --- What the peer sees.

BOOST_DATA_TEST_CASE(
  a_close_beside_an_outstanding_write_delivers_all_of_it_and_a_clean_end, versions, version)
{
  read_end seen;
  scene s(version,
    [&](tls_peer& p)
    {
      seen = p.read_all();
      p.notify();
    });
  large_write w;
  closed c;
  w.start(*s.near);
  interlock::async_close(s.near, close_mode::graceful(long_enough), c.handler());
  s.context.run();
  s.join();
  BOOST_TEST(w.ec == success);
  BOOST_TEST(seen.bytes == much);
  BOOST_TEST(seen.is_clean());
  BOOST_TEST(c.calls == 1);
  BOOST_TEST(c.ec == success);
  BOOST_TEST(c.report.connection.outcome == close_outcome::peer_closed);
  BOOST_TEST(c.report.notify_sent);
  BOOST_TEST(c.report.notify_answered);
  BOOST_TEST(!c.report.truncated);
}

BOOST_DATA_TEST_CASE(deliver_sends_the_end_and_does_not_wait_for_the_peers, versions, version)
{
  read_end seen;
  scene s(version,
    [&](tls_peer& p)
    {
      seen = p.read_all();
      s.wait();
    });
  large_write w;
  closed c;
  w.start(*s.near);
  interlock::async_close(s.near, close_mode::deliver(long_enough), c.handler());
  s.context.run();
  s.let_go();
  s.join();
  BOOST_TEST(seen.bytes == much);
  BOOST_TEST(seen.is_clean());
  BOOST_TEST(c.report.connection.outcome == close_outcome::acknowledged);
  BOOST_TEST(c.report.notify_sent);
  BOOST_TEST(!c.report.notify_answered);
  BOOST_TEST(!c.report.truncated);
}

BOOST_DATA_TEST_CASE(an_immediate_close_is_told_as_truncated, versions, version)
{
  read_end seen;
  scene s(version, [&](tls_peer& p) { seen = p.read_all(); });
  closed c;
  interlock::async_close(s.near, close_mode::immediate(), c.handler());
  s.context.run();
  s.join();
  BOOST_TEST(seen.ec == asio::ssl::error::stream_truncated);
  BOOST_TEST(c.ec == success);
  BOOST_TEST(c.report.connection.outcome == close_outcome::closed);
  BOOST_TEST(!c.report.notify_sent);
  BOOST_TEST(c.report.truncated);
}

BOOST_AUTO_TEST_CASE(an_abort_resets_the_connection)
{
  read_end seen;
  scene s(TLS1_3_VERSION, [&](tls_peer& p) { seen = p.read_all(); });
  closed c;
  interlock::async_close(s.near, close_mode::abort(), c.handler());
  s.context.run();
  s.join();
  BOOST_TEST(seen.ec == asio::error::connection_reset);
  BOOST_TEST(c.report.connection.outcome == close_outcome::aborted);
  BOOST_TEST(c.report.truncated);
}

BOOST_AUTO_TEST_CASE(a_close_in_the_handler_of_a_write_comes_after_what_it_has_written)
{
  read_end seen;
  scene s(TLS1_3_VERSION, [&](tls_peer& p) { seen = p.read_all(); });
  closed c;
  asio::async_write(*s.near, asio::buffer("hello", 5),
    [&](error_code, std::size_t)
    { interlock::async_close(s.near, close_mode::graceful(long_enough), c.handler()); });
  s.context.run();
  s.join();
  BOOST_TEST(seen.bytes == 5u);
  BOOST_TEST(seen.is_clean());
  BOOST_TEST(c.report.notify_sent);
}

BOOST_DATA_TEST_CASE(an_end_that_the_peer_has_sent_before_counts_as_answered, versions, version)
{
  read_end seen;
  scene s(version,
    [&](tls_peer& p)
    {
      p.notify();
      seen = p.read_all();
    });
  std::array<char, 1> byte;
  error_code read = not_called;
  s.near->async_read_some(asio::buffer(byte), [&](error_code ec, std::size_t) { read = ec; });
  s.context.run();
  BOOST_TEST(read == asio::error::eof);
  closed c;
  interlock::async_close(s.near, close_mode::graceful(long_enough), c.handler());
  s.context.restart();
  s.context.run();
  s.join();
  BOOST_TEST(c.report.notify_sent);
  BOOST_TEST(c.report.notify_answered);
  BOOST_TEST(c.report.connection.outcome == close_outcome::peer_closed);
}

// --- Peers that would hold it.

BOOST_DATA_TEST_CASE(a_peer_that_never_answers_does_not_hold_it, versions, version)
{
  read_end seen;
  scene s(version,
    [&](tls_peer& p)
    {
      seen = p.read_all();
      s.wait();
    });
  closed c;
  const auto begin = std::chrono::steady_clock::now();
  interlock::async_close(s.near, close_mode::graceful(milliseconds(100)), c.handler());
  s.context.run();
  BOOST_TEST((std::chrono::steady_clock::now() - begin >= milliseconds(100)));
  s.let_go();
  s.join();
  BOOST_TEST(seen.is_clean());
  BOOST_TEST(c.calls == 1);
  BOOST_TEST(c.report.notify_sent);
  BOOST_TEST(!c.report.notify_answered);
  BOOST_TEST(!c.report.truncated);
  BOOST_TEST((c.report.connection.outcome != close_outcome::peer_closed));
}

BOOST_AUTO_TEST_CASE(the_progress_timeout_ends_the_wait_for_an_answer)
{
  const in_time checked;
  scene s(TLS1_3_VERSION,
    [&](tls_peer& p)
    {
      p.read_all();
      s.wait();
    });
  closed c;
  close_mode mode = close_mode::graceful(long_enough);
  interlock::async_close(s.near, mode.progress_timeout(milliseconds(50)), c.handler());
  s.context.run();
  BOOST_TEST(c.calls == 1);
  BOOST_TEST(c.report.notify_sent);
  BOOST_TEST(!c.report.notify_answered);
}

BOOST_AUTO_TEST_CASE(an_answer_after_the_deadline_changes_nothing)
{
  scene s(TLS1_3_VERSION,
    [&](tls_peer& p)
    {
      p.read_all();
      s.wait();
      p.notify();
    });
  closed c;
  interlock::async_close(s.near, close_mode::graceful(milliseconds(50)), c.handler());
  s.context.run();
  BOOST_TEST(c.calls == 1);
  BOOST_TEST(!c.report.notify_answered);
}

namespace {

/// The far end sends until it cannot any more.
void send_for_ever(tls_peer& p)
{
  const std::vector<char> data(16384);
  error_code ec;
  while (!ec)
    asio::write(p.stream, asio::buffer(data), ec);
}

} // namespace

BOOST_DATA_TEST_CASE(a_peer_that_sends_for_ever_does_not_hold_it, versions, version)
{
  scene s(version, send_for_ever);
  closed c;
  interlock::async_close(s.near, close_mode::graceful(milliseconds(200)), c.handler());
  s.context.run();
  s.join();
  BOOST_TEST(c.calls == 1);
  BOOST_TEST(c.report.notify_sent);
  BOOST_TEST(!c.report.notify_answered);
}

BOOST_AUTO_TEST_CASE(the_limit_of_input_to_discard_ends_the_wait_for_an_answer)
{
  const in_time checked;
  scene s(TLS1_3_VERSION, send_for_ever);
  closed c;
  close_mode mode = close_mode::graceful(long_enough);
  interlock::async_close(s.near, mode.discard_limit(100000), c.handler());
  s.context.run();
  s.join();
  BOOST_TEST(c.calls == 1);
  BOOST_TEST(c.report.notify_sent);
  BOOST_TEST(!c.report.notify_answered);
}

BOOST_DATA_TEST_CASE(writes_that_do_not_end_in_time_are_told_as_truncated, versions, version)
{
  scene s(version, [&](tls_peer&) { s.wait(); });
  large_write w;
  closed c;
  w.start(*s.near);
  interlock::async_close(s.near, close_mode::graceful(milliseconds(100)), c.handler());
  s.context.run();
  BOOST_TEST((w.ec != success && w.ec != not_called));
  BOOST_TEST(c.calls == 1);
  BOOST_TEST(c.report.connection.outcome == close_outcome::timed_out);
  BOOST_TEST(c.report.connection.unacknowledged != 0u);
  BOOST_TEST(!c.report.notify_sent);
  BOOST_TEST(c.report.truncated);
}

BOOST_AUTO_TEST_CASE(an_end_that_cannot_be_written_in_time_is_told_as_truncated)
{
  scene s(TLS1_3_VERSION, [&](tls_peer&) { s.wait(); });
  while (support::fill(s.near->next_layer().native_handle()) != 0)
  {
  }
  closed c;
  interlock::async_close(s.near, close_mode::graceful(milliseconds(50)), c.handler());
  s.context.run();
  closed later;
  interlock::async_close(s.near, close_mode::graceful(long_enough), later.handler());
  s.context.restart();
  s.context.run();
  for (const closed& each : {c, later})
  {
    BOOST_TEST(each.calls == 1);
    BOOST_TEST(each.report.connection.outcome == close_outcome::timed_out);
    BOOST_TEST(!each.report.notify_sent);
    BOOST_TEST(each.report.truncated);
  }
}

BOOST_AUTO_TEST_CASE(a_handshake_that_is_not_over_has_no_end)
{
  scene s;
  s.play([&](tls_peer&) { s.wait(); });
  error_code shaken = not_called;
  s.near->async_handshake(asio::ssl::stream_base::server, [&](error_code ec) { shaken = ec; });
  s.context.poll();
  closed c;
  interlock::async_close(s.near, close_mode::deliver(long_enough), c.handler());
  s.context.run();
  BOOST_TEST((shaken != success && shaken != not_called));
  BOOST_TEST(c.report.connection.outcome == close_outcome::acknowledged);
  BOOST_TEST(!c.report.notify_sent);
  BOOST_TEST(!c.report.truncated);
}

// --- What is outstanding on the layer.

BOOST_DATA_TEST_CASE(
  a_read_that_is_outstanding_is_aborted_and_the_rest_discarded, versions, version)
{
  scene s(version,
    [](tls_peer& p)
    {
      p.read_all();
      asio::write(p.stream, asio::buffer("rest", 4));
      p.notify();
    });
  std::array<char, 16> input{};
  error_code read = not_called;
  std::size_t got = 0;
  s.near->async_read_some(asio::buffer(input),
    [&](error_code ec, std::size_t n)
    {
      read = ec;
      got = n;
    });
  closed c;
  interlock::async_close(s.near, close_mode::graceful(long_enough), c.handler());
  s.context.run();
  s.join();
  BOOST_TEST(read == aborted);
  BOOST_TEST(got == 0u);
  BOOST_TEST(c.report.notify_sent);
  BOOST_TEST(c.report.notify_answered);
  BOOST_TEST(c.report.connection.outcome == close_outcome::peer_closed);
}

BOOST_DATA_TEST_CASE(the_end_of_the_connection_ends_the_wait_for_an_answer, versions, version)
{
  for (const bool reads : {false, true})
  {
    scene s(version, [](tls_peer& p) { p.read_all(); });
    std::array<char, 16> input{};
    if (reads)
      s.near->async_read_some(asio::buffer(input), [](error_code, std::size_t) {});
    closed c;
    const in_time checked;
    interlock::async_close(s.near, close_mode::graceful(long_enough), c.handler());
    s.context.run();
    BOOST_TEST(c.report.notify_sent);
    BOOST_TEST(!c.report.notify_answered);
    BOOST_TEST(c.report.connection.outcome == close_outcome::peer_closed);
  }
}

BOOST_DATA_TEST_CASE(a_close_after_a_read_has_received_the_end_does_not_wait, versions, version)
{
  scene s(version,
    [](tls_peer& p)
    {
      p.stream.next_layer().shutdown(asio::socket_base::shutdown_send);
      p.read_all();
    });
  std::array<char, 16> input{};
  closed c;
  error_code read = not_called;
  const in_time checked;
  s.near->async_read_some(asio::buffer(input),
    [&](error_code ec, std::size_t)
    {
      read = ec;
      interlock::async_close(s.near, close_mode::graceful(long_enough), c.handler());
    });
  s.context.run();
  BOOST_TEST(read == asio::ssl::error::stream_truncated);
  BOOST_TEST(c.report.notify_sent);
  BOOST_TEST(c.report.connection.outcome == close_outcome::peer_closed);
}

BOOST_AUTO_TEST_CASE(a_read_that_is_outstanding_ends_before_the_handler_of_the_close)
{
  scene s(TLS1_3_VERSION,
    [&](tls_peer& p)
    {
      p.read_all();
      s.wait();
    });
  std::array<char, 16> input;
  error_code read = not_called;
  error_code read_before_close = not_called;
  s.near->async_read_some(asio::buffer(input), [&](error_code ec, std::size_t) { read = ec; });
  interlock::async_close(s.near, close_mode::graceful(milliseconds(50)),
    [&](error_code, const interlock::stack_report&) { read_before_close = read; });
  s.context.run();
  BOOST_TEST((read_before_close != success && read_before_close != not_called));
}

namespace {

/// What the far end sends: no two parts of it of the same length are alike.
std::vector<char> pattern(std::size_t size)
{
  std::vector<char> data(size);
  for (std::size_t i = 0; i != size; ++i)
    data[i] = static_cast<char>((i * 7919) >> 8 ^ i);
  return data;
}

} // namespace

BOOST_DATA_TEST_CASE(a_composed_read_that_goes_on_gets_no_hole, versions, version)
{
  const std::vector<char> sent = pattern(1 << 20);
  for (int turns = 0; turns != 40; ++turns)
  {
    scene s(version,
      [&](tls_peer& p)
      {
        error_code ec;
        asio::write(p.stream, asio::buffer(sent), ec);
        p.read_all();
        p.notify();
      });
    std::vector<char> got(sent.size());
    std::size_t bytes = 0;
    asio::async_read(*s.near, asio::buffer(got), [&](error_code, std::size_t n) { bytes = n; });
    for (int i = 0; i != turns; ++i)
      s.context.run_one_for(milliseconds(1));
    closed c;
    const in_time checked;
    interlock::async_close(s.near, close_mode::graceful(long_enough), c.handler());
    s.context.run();
    s.join();
    BOOST_TEST(
      std::equal(got.begin(), got.begin() + static_cast<std::ptrdiff_t>(bytes), sent.begin()));
    BOOST_TEST(c.report.notify_answered);
    BOOST_TEST(c.report.connection.outcome == close_outcome::peer_closed);
  }
}

// --- TLS that is broken, or told to be quiet.

BOOST_DATA_TEST_CASE(an_error_of_tls_is_told_as_truncated, versions, version)
{
  scene s(version,
    [&](tls_peer& p)
    {
      asio::write(p.stream.next_layer(), asio::buffer("this is no record of TLS"));
      p.read_all();
    });
  std::array<char, 16> input{};
  error_code read;
  s.near->async_read_some(asio::buffer(input), [&](error_code ec, std::size_t) { read = ec; });
  s.context.run();
  BOOST_TEST((read.category() == asio::error::get_ssl_category()));
  closed c;
  const in_time checked;
  interlock::async_close(s.near, close_mode::graceful(long_enough), c.handler());
  s.context.restart();
  s.context.run();
  BOOST_TEST(!c.report.notify_sent);
  BOOST_TEST(c.report.truncated);
}

BOOST_AUTO_TEST_CASE(a_quiet_stream_is_told_as_truncated)
{
  read_end seen;
  scene s(TLS1_3_VERSION, [&](tls_peer& p) { seen = p.read_all(); });
  SSL_set_quiet_shutdown(s.near->native_handle(), 1);
  closed c;
  interlock::async_close(s.near, close_mode::deliver(long_enough), c.handler());
  s.context.run();
  s.join();
  BOOST_TEST(seen.ec == asio::ssl::error::stream_truncated);
  BOOST_TEST(!c.report.notify_sent);
  BOOST_TEST(!c.report.notify_answered);
  BOOST_TEST(c.report.truncated);
}

BOOST_AUTO_TEST_SUITE_END()
