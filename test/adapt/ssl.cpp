// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The close of a TLS stream over an Interlock socket: what the peer sees of it, what the report tells, and that no peer
// holds it.

#include <interlock/adapt/ssl.hpp>

#include <algorithm>
#include <optional>

#include <boost/asio/read.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include "support/descriptor_pairs.hpp"
#include "tls_scene.hpp"

namespace {

using namespace adapt;
using scene = tls_scene<ssl::stream<tcp::socket>>;

const auto versions = boost::unit_test::data::make({TLS1_2_VERSION, TLS1_3_VERSION});

} // namespace

BOOST_AUTO_TEST_SUITE(test_ssl)

// --- What the peer sees.

BOOST_DATA_TEST_CASE(
  a_close_beside_an_outstanding_write_delivers_all_of_it_and_a_clean_end, versions, version)
{
  scene s(version, reads_and_answers);
  large_write w(*s.near);
  s.close(close_mode::graceful(long_enough));
  BOOST_TEST(w.ec == success);
  BOOST_TEST(s.far.seen.is(much));
  BOOST_TEST(s.c.told() == "peer_closed, sent, answered");
}

BOOST_DATA_TEST_CASE(deliver_sends_the_end_and_does_not_wait_for_the_peers, versions, version)
{
  scene s(version, reads_and_waits);
  large_write w(*s.near);
  s.close(close_mode::deliver(long_enough));
  BOOST_TEST(s.far.seen.is(much));
  BOOST_TEST(s.c.told() == "acknowledged, sent");
}

BOOST_DATA_TEST_CASE(an_immediate_close_is_told_as_truncated, versions, version)
{
  scene s(version, reads);
  s.close(close_mode::immediate());
  BOOST_TEST(s.far.seen.ec == ssl::error::stream_truncated);
  BOOST_TEST(s.c.told() == "closed, truncated");
}

BOOST_AUTO_TEST_CASE(an_abort_resets_the_connection)
{
  scene s(TLS1_3_VERSION, reads);
  s.close(close_mode::abort());
  BOOST_TEST(s.far.seen.ec == asio::error::connection_reset);
  BOOST_TEST(s.c.told() == "aborted, truncated");
}

BOOST_AUTO_TEST_CASE(a_close_in_the_handler_of_a_write_comes_after_what_it_has_written)
{
  scene s(TLS1_3_VERSION, reads);
  asio::async_write(*s.near, asio::buffer("hello", 5),
    [&](error_code, std::size_t) { s.start_close(close_mode::graceful(long_enough)); });
  s.end();
  BOOST_TEST(s.far.seen.is(5));
  BOOST_TEST(s.c.report.notify_sent);
}

BOOST_DATA_TEST_CASE(an_end_that_the_peer_has_sent_before_counts_as_answered, versions, version)
{
  scene s(version,
    [](tls_peer& p)
    {
      p.notify();
      p.read();
    });
  small_read r(*s.near);
  s.run();
  BOOST_TEST(r.ec == asio::error::eof);
  s.close(close_mode::graceful(long_enough));
  BOOST_TEST(s.c.told() == "peer_closed, sent, answered");
}

// --- Peers that would hold it.

BOOST_DATA_TEST_CASE(a_peer_that_never_answers_does_not_hold_it, versions, version)
{
  scene s(version, reads_and_waits);
  const auto begin = std::chrono::steady_clock::now();
  s.start_close(close_mode::graceful(milliseconds(100)));
  s.run();
  BOOST_TEST((std::chrono::steady_clock::now() - begin >= milliseconds(100)));
  s.end();
  BOOST_TEST(s.far.seen.is(0));
  BOOST_TEST(s.c.told_of_layers() == "sent");
  BOOST_TEST(s.c.report.connection.outcome != close_outcome::peer_closed);
}

BOOST_AUTO_TEST_CASE(the_progress_timeout_ends_the_wait_for_an_answer)
{
  const in_time checked;
  scene s(TLS1_3_VERSION, reads_and_waits);
  s.close(close_mode::graceful(long_enough).progress_timeout(milliseconds(50)));
  BOOST_TEST(s.c.told_of_layers() == "sent");
}

BOOST_AUTO_TEST_CASE(an_answer_after_the_deadline_changes_nothing)
{
  scene s(TLS1_3_VERSION,
    [](tls_peer& p)
    {
      reads_and_waits(p);
      p.notify();
    });
  s.close(close_mode::graceful(milliseconds(50)));
  BOOST_TEST(s.c.times == 1);
  BOOST_TEST(!s.c.report.notify_answered);
}

BOOST_DATA_TEST_CASE(a_peer_that_sends_for_ever_does_not_hold_it, versions, version)
{
  scene s(version, sends_for_ever);
  s.close(close_mode::graceful(milliseconds(200)));
  BOOST_TEST(s.c.told_of_layers() == "sent");
}

BOOST_AUTO_TEST_CASE(the_limit_of_input_to_discard_ends_the_wait_for_an_answer)
{
  const in_time checked;
  scene s(TLS1_3_VERSION, sends_for_ever);
  s.close(close_mode::graceful(long_enough).discard_limit(100000));
  BOOST_TEST(s.c.told_of_layers() == "sent");
}

BOOST_DATA_TEST_CASE(writes_that_do_not_end_in_time_are_told_as_truncated, versions, version)
{
  scene s(version, waits);
  large_write w(*s.near);
  s.close(close_mode::graceful(milliseconds(100)));
  BOOST_TEST(has_failed(w.ec));
  BOOST_TEST(s.c.told() == "timed_out, truncated");
  BOOST_TEST(s.c.report.connection.unacknowledged != 0u);
}

BOOST_AUTO_TEST_CASE(an_end_that_cannot_be_written_in_time_is_told_as_truncated)
{
  scene s(TLS1_3_VERSION, waits);
  while (support::fill(s.near->next_layer().native_handle()) != 0)
  {
  }
  s.start_close(close_mode::graceful(milliseconds(50)));
  s.run();
  closed later;
  interlock::async_close(s.near, close_mode::graceful(long_enough), later.handler());
  s.run();
  BOOST_TEST(s.c.told() == "timed_out, truncated");
  BOOST_TEST(later.told() == "timed_out, truncated");
}

BOOST_AUTO_TEST_CASE(a_handshake_that_is_not_over_has_no_end)
{
  scene s;
  s.play(waits);
  error_code shaken = not_called;
  s.near->async_handshake(ssl::stream_base::server, [&](error_code ec) { shaken = ec; });
  s.context.poll();
  s.close(close_mode::deliver(long_enough));
  BOOST_TEST(has_failed(shaken));
  BOOST_TEST(s.c.told() == "acknowledged");
}

// --- What is outstanding on the layer.

BOOST_DATA_TEST_CASE(
  a_read_that_is_outstanding_is_aborted_and_the_rest_discarded, versions, version)
{
  scene s(version,
    [](tls_peer& p)
    {
      p.read();
      asio::write(p.stream, asio::buffer("rest", 4));
      p.notify();
    });
  small_read r(*s.near);
  s.close(close_mode::graceful(long_enough));
  BOOST_TEST(r.ec == aborted);
  BOOST_TEST(r.bytes == 0u);
  BOOST_TEST(s.c.told() == "peer_closed, sent, answered");
}

BOOST_DATA_TEST_CASE(the_end_of_the_connection_ends_the_wait_for_an_answer,
  versions* boost::unit_test::data::make({false, true}), version, is_read)
{
  scene s(version, reads);
  std::optional<small_read> r;
  if (is_read)
    r.emplace(*s.near);
  const in_time checked;
  s.close(close_mode::graceful(long_enough));
  BOOST_TEST(s.c.told() == "peer_closed, sent");
}

BOOST_DATA_TEST_CASE(a_close_after_a_read_has_received_the_end_does_not_wait, versions, version)
{
  scene s(version,
    [](tls_peer& p)
    {
      p.stream.next_layer().shutdown(asio::socket_base::shutdown_send);
      p.read();
    });
  char byte = 0;
  error_code read = not_called;
  const in_time checked;
  s.near->async_read_some(asio::buffer(&byte, 1),
    [&](error_code ec, std::size_t)
    {
      read = ec;
      s.start_close(close_mode::graceful(long_enough));
    });
  s.end();
  BOOST_TEST(read == ssl::error::stream_truncated);
  BOOST_TEST(s.c.told() == "peer_closed, sent");
}

BOOST_AUTO_TEST_CASE(a_read_that_is_outstanding_ends_before_the_handler_of_the_close)
{
  scene s(TLS1_3_VERSION, reads_and_waits);
  small_read r(*s.near);
  error_code read_before_close = not_called;
  interlock::async_close(s.near, close_mode::graceful(milliseconds(50)),
    [&](error_code, const stack_report&) { read_before_close = r.ec; });
  s.run();
  BOOST_TEST(has_failed(read_before_close));
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
    BOOST_TEST_CONTEXT("turns before the close: " << turns)
    {
      scene s(version,
        [&sent](tls_peer& p)
        {
          error_code ec;
          asio::write(p.stream, asio::buffer(sent), ec);
          reads_and_answers(p);
        });
      std::vector<char> got(sent.size());
      std::size_t bytes = 0;
      asio::async_read(*s.near, asio::buffer(got), [&](error_code, std::size_t n) { bytes = n; });
      for (int i = 0; i != turns; ++i)
        s.context.run_one_for(milliseconds(1));
      const in_time checked;
      s.close(close_mode::graceful(long_enough));
      got.resize(bytes);
      BOOST_TEST(std::equal(got.begin(), got.end(), sent.begin()));
      BOOST_TEST(s.c.told() == "peer_closed, sent, answered");
    }
}

// --- TLS that is broken, or told to be quiet.

BOOST_DATA_TEST_CASE(an_error_of_tls_is_told_as_truncated, versions, version)
{
  scene s(version,
    [](tls_peer& p)
    {
      asio::write(p.stream.next_layer(), asio::buffer("this is no record of TLS"));
      p.read();
    });
  small_read r(*s.near);
  s.run();
  BOOST_TEST((r.ec.category() == asio::error::get_ssl_category()), r.ec);
  const in_time checked;
  s.close(close_mode::graceful(long_enough));
  BOOST_TEST(s.c.told_of_layers() == "truncated");
}

BOOST_AUTO_TEST_CASE(a_quiet_stream_is_told_as_truncated)
{
  scene s(TLS1_3_VERSION, reads);
  SSL_set_quiet_shutdown(s.near->native_handle(), 1);
  s.close(close_mode::deliver(long_enough));
  BOOST_TEST(s.far.seen.ec == ssl::error::stream_truncated);
  BOOST_TEST(s.c.told_of_layers() == "truncated");
}

BOOST_AUTO_TEST_SUITE_END()
