// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G8: every mode with a peer of every kind: what the peer sees, and what the closer is told. The
// cases are the cells of the tables in doc/delivery.qbk. There is always more to be delivered than
// the peer has room for.

#include "support/prelude.hpp"

#include <tuple>

#include "support/closing_socket.hpp"
#include "support/tcp_facts.hpp"

using namespace support;
using interlock::close_mode;
using interlock::close_outcome;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr seconds long_enough(60);
constexpr milliseconds too_short(100);
const std::string unread(17, 'x');

template <class Closing>
struct closed_upon : Closing
{
  static constexpr bool is_tcp = std::is_same<Closing, closing_tcp>::value;

  const std::size_t sent = fill(this->fd());
  told t;
  taken got;

  // --- What the peer has done before.

  void send_what_is_not_read()
  {
    send_text(this->pair.far, unread);
    BOOST_TEST(wait_until([this] { return this->object.available() == unread.size(); }));
  }

  void end_first()
  {
    BOOST_TEST(::shutdown(this->pair.far.get(), SHUT_WR) == 0);
  }

  /// The close in this mode, upon a peer that behaves so, ends in this way; nothing is left, and nothing refused.
  template <class Peer>
  void check(const close_mode& mode, Peer behaves, close_outcome outcome, std::size_t discarded = 0)
  {
    this->object.async_close(mode, t.handler());
    BOOST_TEST(behaves(*this));
    BOOST_TEST(t.is(outcome));
    BOOST_TEST((t.report.unsent == 0 && t.report.unacknowledged == 0));
    BOOST_TEST(t.report.discarded == discarded);
    BOOST_TEST(t.report.refused_writes == 0u);
  }

  /// The queue of a local peer goes with it.
  void check_reset(const close_mode& mode)
  {
    this->object.async_close(mode, t.handler());
    turn(this->context);
    this->pair.far.reset();
    BOOST_TEST(this->run_until_told(t));
    BOOST_TEST(t.is(close_outcome::reset));
    BOOST_TEST((!is_tcp || t.report.unacknowledged != 0));
    BOOST_TEST((is_tcp || t.report.unsent == 0));
    BOOST_TEST(t.report.discarded == 0u);
  }

  /// The peer reads nothing until the deadline. One that reads later may find the kernel still at it.
  void check_timed_out(const close_mode& mode)
  {
    fd copy(checked(::dup(this->fd()), "dup"));
    this->object.async_close(mode, t.handler());
    BOOST_TEST(this->run_until_told(t));
    BOOST_TEST(t.is(close_outcome::timed_out));
    BOOST_TEST(t.report.unacknowledged != 0u);
    // Our FIN is one of those that the kernel counts.
    BOOST_TEST((!is_tcp || t.report.unacknowledged == output_of(copy) - 1));
    BOOST_TEST((t.report.unsent != 0) == is_tcp);
    BOOST_TEST(t.report.unsent <= t.report.unacknowledged);
    BOOST_TEST((t.report.duration >= too_short));
    copy.reset();
    BOOST_TEST(got.take_all(this->pair.far));
    BOOST_TEST(got.ended == (got.bytes == sent));
    BOOST_TEST((got.ended || got.error == ECONNRESET));
    BOOST_TEST((is_tcp || got.ended));
  }

  // --- What the peer sees.

  /// All, and an orderly end.
  bool saw_all()
  {
    return (got.ended || got.take_all(this->pair.far)) && got.error == 0 && got.bytes == sent;
  }

  /// A reset that has cost it something.
  bool saw_less_and_a_reset()
  {
    return got.take_all(this->pair.far) && got.error == ECONNRESET && got.bytes < sent;
  }

  bool saw_all_and_a_reset()
  {
    return got.take_all(this->pair.far) && got.error == ECONNRESET && got.bytes == sent;
  }
};

// --- How the peer behaves, until the closer is told.

const auto reads_nothing = [](auto& c) { return c.run_until_told(c.t); };

/// Keeps its own side open.
const auto reads_all = [](auto& c)
{ return c.run_until_told([&c] { c.got.take(c.pair.far); }, c.t); };

const auto reads_all_and_closes = [](auto& c) { return c.run_until_told(c.reader(c.got), c.t); };

const auto sends_for_ever = [](auto& c)
{
  return c.run_until_told(
    [&c]
    {
      fill(c.pair.far.get());
      c.got.take(c.pair.far);
    },
    c.t);
};

using kinds = std::tuple<closing_tcp, closing_unix>;

/// The end of what a socket of plain Asio has sent that is closed with unread input: what its peer
/// gets, and by which error it ends.
taken after_a_plain_close(std::size_t& sent)
{
  ends pair = narrow_tcp_ends();
  asio::io_context context;
  asio::ip::tcp::socket plain(context);
  send_text(pair.far, unread);
  BOOST_TEST(wait_input(pair.near, unread.size()));
  sent = fill(pair.near.get());
  plain.assign(asio::ip::tcp::v4(), pair.near.release());
  plain.close();
  taken got;
  BOOST_TEST(got.take_all(pair.far));
  return got;
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_g8_peer_sees)

// --- The peer is not waited for.

BOOST_FIXTURE_TEST_CASE_TEMPLATE(immediate_and_it_reads_all, Kind, kinds, closed_upon<Kind>)
{
  this->check(close_mode::immediate(), reads_nothing, close_outcome::closed);
  BOOST_TEST(this->saw_all());
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(immediate_and_it_had_ended_first, Kind, kinds, closed_upon<Kind>)
{
  this->end_first();
  this->check(close_mode::immediate(), reads_nothing, close_outcome::closed);
  BOOST_TEST(this->saw_all());
}

BOOST_FIXTURE_TEST_CASE(immediate_and_tcp_input_is_unread, closed_upon<closing_tcp>)
{
  send_what_is_not_read();
  check(close_mode::immediate(), reads_nothing, close_outcome::closed);
  BOOST_TEST(saw_less_and_a_reset());
}

BOOST_AUTO_TEST_CASE(unread_input_costs_data_in_asios_close)
{
  std::size_t sent = 0;
  const taken got = after_a_plain_close(sent);
  BOOST_TEST(got.error == ECONNRESET);
  BOOST_TEST(got.bytes < sent);
}

BOOST_FIXTURE_TEST_CASE(immediate_and_local_input_is_unread, closed_upon<closing_unix>)
{
  send_what_is_not_read();
  check(close_mode::immediate(), reads_nothing, close_outcome::closed);
  BOOST_TEST(saw_all_and_a_reset());
}

BOOST_FIXTURE_TEST_CASE(abort_of_tcp, closed_upon<closing_tcp>)
{
  check(close_mode::abort(), reads_nothing, close_outcome::aborted);
  BOOST_TEST(saw_less_and_a_reset());
}

BOOST_FIXTURE_TEST_CASE(abort_and_tcp_had_ended_first, closed_upon<closing_tcp>)
{
  end_first();
  check(close_mode::abort(), reads_nothing, close_outcome::aborted);
  BOOST_TEST(saw_less_and_a_reset());
}

BOOST_FIXTURE_TEST_CASE(abort_and_tcp_input_is_unread, closed_upon<closing_tcp>)
{
  send_what_is_not_read();
  check(close_mode::abort(), reads_nothing, close_outcome::aborted);
  BOOST_TEST(saw_less_and_a_reset());
}

// Nothing of it can be taken back: it is in the peer's queue already.
BOOST_FIXTURE_TEST_CASE(abort_of_a_local_connection, closed_upon<closing_unix>)
{
  check(close_mode::abort(), reads_nothing, close_outcome::aborted);
  BOOST_TEST(saw_all());
}

BOOST_FIXTURE_TEST_CASE(abort_and_local_input_is_unread, closed_upon<closing_unix>)
{
  send_what_is_not_read();
  check(close_mode::abort(), reads_nothing, close_outcome::aborted);
  BOOST_TEST(saw_all_and_a_reset());
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(immediate_and_it_has_gone, Kind, kinds, closed_upon<Kind>)
{
  this->pair.far.reset();
  this->check(close_mode::immediate(), reads_nothing, close_outcome::closed);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(abort_and_it_has_gone, Kind, kinds, closed_upon<Kind>)
{
  this->pair.far.reset();
  this->check(close_mode::abort(), reads_nothing, close_outcome::aborted);
}

// --- deliver.

BOOST_FIXTURE_TEST_CASE_TEMPLATE(deliver_and_it_reads_all, Kind, kinds, closed_upon<Kind>)
{
  this->check(close_mode::deliver(long_enough), reads_all, close_outcome::acknowledged);
  BOOST_TEST(this->saw_all());
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(deliver_and_it_had_ended_first, Kind, kinds, closed_upon<Kind>)
{
  this->end_first();
  this->check(close_mode::deliver(long_enough), reads_all, close_outcome::acknowledged);
  BOOST_TEST(this->saw_all());
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(deliver_and_it_reads_nothing, Kind, kinds, closed_upon<Kind>)
{
  this->check_timed_out(close_mode::deliver(too_short));
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(deliver_and_it_goes_away, Kind, kinds, closed_upon<Kind>)
{
  this->check_reset(close_mode::deliver(long_enough));
}

// The reset comes after the end of the stream, which has been acknowledged.
BOOST_FIXTURE_TEST_CASE(deliver_and_tcp_input_is_unread, closed_upon<closing_tcp>)
{
  send_what_is_not_read();
  check(close_mode::deliver(long_enough), reads_all, close_outcome::acknowledged);
  BOOST_TEST(wait_tcp_state(pair.far, TCP_CLOSE));
  BOOST_TEST(got.take_all(pair.far));
  BOOST_TEST(got.bytes == sent);
}

BOOST_FIXTURE_TEST_CASE(deliver_and_local_input_is_unread, closed_upon<closing_unix>)
{
  send_what_is_not_read();
  check(close_mode::deliver(long_enough), reads_all, close_outcome::acknowledged);
  BOOST_TEST(got.take_all(pair.far));
  BOOST_TEST(got.bytes == sent);
  BOOST_TEST((got.ended || got.error == ECONNRESET));
}

// --- graceful.

BOOST_FIXTURE_TEST_CASE_TEMPLATE(graceful_and_it_reads_all, Kind, kinds, closed_upon<Kind>)
{
  this->check(close_mode::graceful(seconds(1)), reads_all, close_outcome::acknowledged);
  BOOST_TEST((this->t.report.duration >= seconds(1)));
  BOOST_TEST(this->saw_all());
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  graceful_and_it_reads_all_and_closes, Kind, kinds, closed_upon<Kind>)
{
  this->check(close_mode::graceful(long_enough), reads_all_and_closes, close_outcome::peer_closed);
  BOOST_TEST(this->saw_all());
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(graceful_and_it_had_ended_first, Kind, kinds, closed_upon<Kind>)
{
  this->end_first();
  this->check(close_mode::graceful(long_enough), reads_all, close_outcome::peer_closed);
  BOOST_TEST(this->saw_all());
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(graceful_and_input_is_unread, Kind, kinds, closed_upon<Kind>)
{
  this->send_what_is_not_read();
  this->check(close_mode::graceful(long_enough), reads_all_and_closes, close_outcome::peer_closed,
    unread.size());
  BOOST_TEST(this->saw_all());
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(graceful_and_it_sends_for_ever, Kind, kinds, closed_upon<Kind>)
{
  constexpr std::size_t limit = 1 << 20;
  this->check(close_mode::graceful(long_enough).discard_limit(limit), sends_for_ever,
    close_outcome::acknowledged, limit);
  BOOST_TEST(this->got.take_all(this->pair.far));
  BOOST_TEST(this->got.bytes == this->sent);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(graceful_and_it_reads_nothing, Kind, kinds, closed_upon<Kind>)
{
  this->check_timed_out(close_mode::graceful(too_short));
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(graceful_and_it_goes_away, Kind, kinds, closed_upon<Kind>)
{
  this->check_reset(close_mode::graceful(long_enough));
}

BOOST_AUTO_TEST_CASE(two_full_peers_close_gracefully_on_each_other)
{
  closing_tcp one(&tcp_ends);
  tcp::socket other(one.context, tcp::v4(), one.pair.far.release());
  fill(one.fd());
  fill(other.native_handle());
  told first;
  told second;
  one.object.async_close(close_mode::graceful(long_enough), first.handler());
  other.async_close(close_mode::graceful(long_enough), second.handler());
  BOOST_TEST(one.run_until_told([] {}, first, second));
  for (const told* t : {&first, &second})
  {
    BOOST_TEST(t->is(close_outcome::peer_closed));
    BOOST_TEST(t->report.discarded != 0u);
  }
}

BOOST_AUTO_TEST_SUITE_END()
