// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G8: the modes that wait do so until the peer's kernel has acknowledged everything, or until the
// peer's own end; each with a peer of its own kind, and what that peer sees.

#include <interlock/close_mode.hpp>
#include <interlock/ip/tcp.hpp>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <string>

#include <boost/asio/ip/tcp.hpp>
#include <boost/test/unit_test.hpp>

#include "support/close_probe.hpp"
#include "support/closing_socket.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/lingering_socket.hpp"
#include "support/tcp_facts.hpp"

namespace asio = boost::asio;
using interlock::close_mode;
using interlock::close_outcome;
using std::chrono::milliseconds;
using std::chrono::seconds;
using support::closing_tcp;
using support::closing_unix;
using support::taken;
using support::told;

namespace {

constexpr seconds long_enough(60);
const std::string unread(17, 'x');

/// The end of what a socket of plain Asio has sent that is closed with unread input: what its peer
/// gets, and by which error it ends.
taken after_a_plain_close(std::size_t& sent)
{
  support::ends tcp = support::narrow_tcp_ends();
  asio::io_context context;
  asio::ip::tcp::socket plain(context);
  support::send_text(tcp.far, unread);
  BOOST_TEST(support::wait_input(tcp.near, unread.size()));
  sent = support::fill(tcp.near.get());
  plain.assign(asio::ip::tcp::v4(), tcp.near.release());
  plain.close();
  taken got;
  BOOST_TEST(got.take_all(tcp.far));
  return got;
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_g8_delivery)

// --- TCP, what the peer sees.

BOOST_AUTO_TEST_CASE(unread_input_costs_data_in_asios_close)
{
  std::size_t sent = 0;
  const taken got = after_a_plain_close(sent);
  BOOST_TEST(got.error == ECONNRESET);
  BOOST_TEST(got.bytes < sent);
}

BOOST_FIXTURE_TEST_CASE(unread_input_costs_not_a_byte_in_a_graceful_close, closing_tcp)
{
  support::send_text(pair.far, unread);
  BOOST_TEST(support::wait_until([this] { return object.available() == unread.size(); }));
  const std::size_t sent = support::fill(fd());
  told t;
  object.async_close(close_mode::graceful(long_enough), t.handler());
  taken got;
  BOOST_TEST(run_until_told(reader(got), t));
  BOOST_TEST(t.is(close_outcome::peer_closed));
  BOOST_TEST(t.report.discarded == unread.size());
  BOOST_TEST((got.ended && got.error == 0 && got.bytes == sent));
}

BOOST_FIXTURE_TEST_CASE(a_peer_that_reads_slowly_gets_everything, closing_tcp)
{
  const std::size_t sent = support::fill(fd());
  told t;
  object.async_close(close_mode::deliver(long_enough), t.handler());
  taken got;
  BOOST_TEST(run_until_told([&] { got.take(pair.far, 32768); }, t));
  BOOST_TEST(t.is(close_outcome::acknowledged));
  BOOST_TEST(t.report.unacknowledged == 0u);
  BOOST_TEST(t.report.unsent == 0u);
  BOOST_TEST((t.report.duration > close_mode::duration::zero()));
  BOOST_TEST(got.take_all(pair.far));
  BOOST_TEST((got.ended && got.bytes == sent));
}

BOOST_FIXTURE_TEST_CASE(
  a_peer_that_stops_reading_has_not_acknowledged_what_the_kernel_says, closing_tcp)
{
  support::fill(fd());
  const support::fd copy(support::checked(::dup(fd()), "dup"));
  told t;
  object.async_close(close_mode::deliver(milliseconds(200)), t.handler());
  BOOST_TEST(run_until_told(t));
  BOOST_TEST(t.is(close_outcome::timed_out));
  // Our FIN is one of those that the kernel counts.
  BOOST_TEST(t.report.unacknowledged == support::output_of(copy) - 1);
  BOOST_TEST(t.report.unacknowledged != 0u);
  BOOST_TEST((t.report.duration >= milliseconds(200)));
}

BOOST_FIXTURE_TEST_CASE(a_peer_that_goes_away_has_reset, closing_tcp)
{
  support::fill(fd());
  told t;
  object.async_close(close_mode::deliver(long_enough), t.handler());
  support::turn(context);
  support::set_linger(pair.far, 0);
  pair.far.reset();
  BOOST_TEST(run_until_told(t));
  BOOST_TEST(t.is(close_outcome::reset));
}

BOOST_FIXTURE_TEST_CASE(an_immediate_close_is_an_orderly_one, closing_tcp)
{
  const std::size_t sent = support::fill(fd());
  told t;
  object.async_close(close_mode::immediate(), t.handler());
  BOOST_TEST(run_until_told(t));
  BOOST_TEST(t.is(close_outcome::closed));
  taken got;
  BOOST_TEST(got.take_all(pair.far));
  BOOST_TEST((got.ended && got.bytes == sent));
}

BOOST_FIXTURE_TEST_CASE(an_abort_is_a_reset, closing_tcp)
{
  const std::size_t sent = support::fill(fd());
  told t;
  object.async_close(close_mode::abort(), t.handler());
  BOOST_TEST(run_until_told(t));
  BOOST_TEST(t.is(close_outcome::aborted));
  taken got;
  BOOST_TEST(got.take_all(pair.far));
  BOOST_TEST(got.error == ECONNRESET);
  BOOST_TEST(got.bytes < sent);
}

BOOST_FIXTURE_TEST_CASE(a_graceful_close_without_the_peers_end_tells_what_it_knows, closing_tcp)
{
  told t;
  object.async_close(close_mode::graceful(milliseconds(200)), t.handler());
  BOOST_TEST(run_until_told(t));
  BOOST_TEST(t.is(close_outcome::acknowledged));
}

BOOST_FIXTURE_TEST_CASE(a_peer_that_had_half_closed_first_acknowledges_all_the_same, closing_tcp)
{
  BOOST_TEST(::shutdown(pair.far.get(), SHUT_WR) == 0);
  told t;
  object.async_close(close_mode::graceful(long_enough), t.handler());
  taken got;
  BOOST_TEST(run_until_told([&] { got.take(pair.far); }, t));
  BOOST_TEST(t.is(close_outcome::peer_closed));
  BOOST_TEST(got.take_all(pair.far));
}

BOOST_AUTO_TEST_CASE(two_full_peers_close_gracefully_on_each_other)
{
  closing_tcp one(&support::tcp_ends);
  interlock::ip::tcp::socket other(one.context);
  other.assign(interlock::ip::tcp::v4(), one.pair.far.release());
  support::fill(one.fd());
  support::fill(other.native_handle());
  told first;
  told second;
  one.object.async_close(close_mode::graceful(long_enough), first.handler());
  other.async_close(close_mode::graceful(long_enough), second.handler());
  BOOST_TEST(one.run_until_told([] {}, first, second));
  BOOST_TEST(first.is(close_outcome::peer_closed));
  BOOST_TEST(second.is(close_outcome::peer_closed));
  BOOST_TEST(first.report.discarded != 0u);
  BOOST_TEST(second.report.discarded != 0u);
}

BOOST_FIXTURE_TEST_CASE(an_endless_sender_holds_no_close_beyond_the_limit, closing_tcp)
{
  told t;
  object.async_close(close_mode::graceful(long_enough).discard_limit(1 << 20), t.handler());
  BOOST_TEST(run_until_told([this] { support::fill(pair.far.get()); }, t));
  BOOST_TEST(t.is(close_outcome::acknowledged));
  BOOST_TEST(t.report.discarded <= 1u << 20);
}

BOOST_FIXTURE_TEST_CASE(what_the_worker_closes_is_closed_by_the_worker, closing_tcp)
{
  const support::close_watch watch(fd());
  told t;
  object.async_close(close_mode::deliver(long_enough), t.handler());
  BOOST_TEST(run_until_told(t));
  BOOST_TEST(t.is(close_outcome::acknowledged));
  BOOST_TEST(watch.by_worker());
  BOOST_TEST(watch.closed() == 1u);
}

// --- AF_UNIX: the application of the peer has read it.

BOOST_FIXTURE_TEST_CASE(what_a_local_peer_has_read_is_acknowledged, closing_unix)
{
  const std::size_t sent = support::fill(fd());
  told t;
  object.async_close(close_mode::deliver(long_enough), t.handler());
  taken got;
  BOOST_TEST(run_until_told([&] { got.take(pair.far); }, t));
  BOOST_TEST(t.is(close_outcome::acknowledged));
  BOOST_TEST(got.bytes == sent);
}

BOOST_FIXTURE_TEST_CASE(what_a_local_peer_does_not_read_is_not, closing_unix)
{
  support::fill(fd());
  told t;
  object.async_close(close_mode::deliver(milliseconds(100)), t.handler());
  BOOST_TEST(run_until_told(t));
  BOOST_TEST(t.is(close_outcome::timed_out));
  BOOST_TEST(t.report.unacknowledged != 0u);
}

BOOST_FIXTURE_TEST_CASE(a_local_peer_that_goes_away_has_reset, closing_unix)
{
  support::fill(fd());
  told t;
  object.async_close(close_mode::graceful(long_enough), t.handler());
  support::turn(context);
  pair.far.reset();
  BOOST_TEST(run_until_told(t));
  BOOST_TEST(t.is(close_outcome::reset));
}

BOOST_AUTO_TEST_SUITE_END()
