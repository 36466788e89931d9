// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G8: every mode with a peer of every kind: what the peer sees, and what the closer is told. The
// cases are the cells of the tables in doc/delivery.qbk. There is always more to be delivered than
// the peer has room for.

#include <interlock/close_mode.hpp>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <string>
#include <tuple>
#include <type_traits>

#include <sys/socket.h>

#include <boost/test/unit_test.hpp>

#include "support/closing_socket.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/tcp_facts.hpp"

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
constexpr milliseconds too_short(100);
const std::string unread(17, 'x');

template <class Closing>
struct closed_upon : Closing
{
  static constexpr bool is_tcp = std::is_same<Closing, closing_tcp>::value;

  const std::size_t sent = support::fill(this->fd());
  told t;
  taken got;

  void close(const close_mode& mode)
  {
    this->object.async_close(mode, t.handler());
  }

  // --- The peers.

  void send_what_is_not_read()
  {
    support::send_text(this->pair.far, unread);
    BOOST_TEST(support::wait_until([this] { return this->object.available() == unread.size(); }));
  }

  void end_first()
  {
    BOOST_TEST(::shutdown(this->pair.far.get(), SHUT_WR) == 0);
  }

  /// Keeps its own side open.
  bool reads_all()
  {
    return this->run_until_told([this] { got.take(this->pair.far); }, t);
  }

  bool reads_all_and_closes()
  {
    return this->run_until_told(this->reader(got), t);
  }

  bool reads_nothing()
  {
    return this->run_until_told(t);
  }

  bool goes_away()
  {
    support::turn(this->context);
    this->pair.far.reset();
    return this->run_until_told(t);
  }

  bool sends_for_ever()
  {
    return this->run_until_told(
      [this]
      {
        support::fill(this->pair.far.get());
        got.take(this->pair.far);
      },
      t);
  }

  // --- What they see.

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

  // --- What the closer is told.

  bool counts_are(std::size_t left, std::size_t discarded = 0)
  {
    return t.report.unsent == left && t.report.unacknowledged == left
      && t.report.discarded == discarded && t.report.refused_writes == 0;
  }

  /// The queue of a local peer goes with it.
  void check_reset()
  {
    BOOST_TEST(t.is(close_outcome::reset));
    BOOST_TEST((!is_tcp || t.report.unacknowledged != 0));
    BOOST_TEST((is_tcp || t.report.unsent == 0));
    BOOST_TEST(t.report.discarded == 0u);
  }

  /// A peer that reads after the deadline may find the kernel still at it.
  void check_timed_out()
  {
    BOOST_TEST(t.is(close_outcome::timed_out));
    BOOST_TEST(t.report.unacknowledged != 0u);
    BOOST_TEST((t.report.unsent != 0) == is_tcp);
    BOOST_TEST(t.report.unsent <= t.report.unacknowledged);
    BOOST_TEST((t.report.duration >= too_short));
    BOOST_TEST(got.take_all(this->pair.far));
    BOOST_TEST(got.ended == (got.bytes == sent));
    BOOST_TEST((got.ended || got.error == ECONNRESET));
    BOOST_TEST((is_tcp || got.ended));
  }
};

using kinds = std::tuple<closing_tcp, closing_unix>;

} // namespace

BOOST_AUTO_TEST_SUITE(test_g8_peer_sees)

// --- The peer is not waited for.

BOOST_FIXTURE_TEST_CASE_TEMPLATE(immediate_and_it_reads_all, Kind, kinds, closed_upon<Kind>)
{
  this->close(close_mode::immediate());
  BOOST_TEST(this->reads_nothing());
  BOOST_TEST(this->t.is(close_outcome::closed));
  BOOST_TEST(this->counts_are(0));
  BOOST_TEST(this->saw_all());
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(immediate_and_it_had_ended_first, Kind, kinds, closed_upon<Kind>)
{
  this->end_first();
  this->close(close_mode::immediate());
  BOOST_TEST(this->reads_nothing());
  BOOST_TEST(this->t.is(close_outcome::closed));
  BOOST_TEST(this->saw_all());
}

BOOST_FIXTURE_TEST_CASE(immediate_and_tcp_input_is_unread, closed_upon<closing_tcp>)
{
  send_what_is_not_read();
  close(close_mode::immediate());
  BOOST_TEST(reads_nothing());
  BOOST_TEST(t.is(close_outcome::closed));
  BOOST_TEST(counts_are(0));
  BOOST_TEST(saw_less_and_a_reset());
}

BOOST_FIXTURE_TEST_CASE(immediate_and_local_input_is_unread, closed_upon<closing_unix>)
{
  send_what_is_not_read();
  close(close_mode::immediate());
  BOOST_TEST(reads_nothing());
  BOOST_TEST(t.is(close_outcome::closed));
  BOOST_TEST(got.take_all(pair.far));
  BOOST_TEST((got.error == ECONNRESET && got.bytes == sent));
}

BOOST_FIXTURE_TEST_CASE(abort_of_tcp, closed_upon<closing_tcp>)
{
  close(close_mode::abort());
  BOOST_TEST(reads_nothing());
  BOOST_TEST(t.is(close_outcome::aborted));
  BOOST_TEST(counts_are(0));
  BOOST_TEST(saw_less_and_a_reset());
}

BOOST_FIXTURE_TEST_CASE(abort_and_tcp_had_ended_first, closed_upon<closing_tcp>)
{
  end_first();
  close(close_mode::abort());
  BOOST_TEST(reads_nothing());
  BOOST_TEST(t.is(close_outcome::aborted));
  BOOST_TEST(saw_less_and_a_reset());
}

BOOST_FIXTURE_TEST_CASE(abort_and_tcp_input_is_unread, closed_upon<closing_tcp>)
{
  send_what_is_not_read();
  close(close_mode::abort());
  BOOST_TEST(reads_nothing());
  BOOST_TEST(t.is(close_outcome::aborted));
  BOOST_TEST(saw_less_and_a_reset());
}

// Nothing of it can be taken back: it is in the peer's queue already.
BOOST_FIXTURE_TEST_CASE(abort_of_a_local_connection, closed_upon<closing_unix>)
{
  close(close_mode::abort());
  BOOST_TEST(reads_nothing());
  BOOST_TEST(t.is(close_outcome::aborted));
  BOOST_TEST(counts_are(0));
  BOOST_TEST(saw_all());
}

BOOST_FIXTURE_TEST_CASE(abort_and_local_input_is_unread, closed_upon<closing_unix>)
{
  send_what_is_not_read();
  close(close_mode::abort());
  BOOST_TEST(reads_nothing());
  BOOST_TEST(t.is(close_outcome::aborted));
  BOOST_TEST(got.take_all(pair.far));
  BOOST_TEST((got.error == ECONNRESET && got.bytes == sent));
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(immediate_and_it_has_gone, Kind, kinds, closed_upon<Kind>)
{
  this->pair.far.reset();
  this->close(close_mode::immediate());
  BOOST_TEST(this->reads_nothing());
  BOOST_TEST(this->t.is(close_outcome::closed));
  BOOST_TEST(this->counts_are(0));
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(abort_and_it_has_gone, Kind, kinds, closed_upon<Kind>)
{
  this->pair.far.reset();
  this->close(close_mode::abort());
  BOOST_TEST(this->reads_nothing());
  BOOST_TEST(this->t.is(close_outcome::aborted));
  BOOST_TEST(this->counts_are(0));
}

// --- deliver.

BOOST_FIXTURE_TEST_CASE_TEMPLATE(deliver_and_it_reads_all, Kind, kinds, closed_upon<Kind>)
{
  this->close(close_mode::deliver(long_enough));
  BOOST_TEST(this->reads_all());
  BOOST_TEST(this->t.is(close_outcome::acknowledged));
  BOOST_TEST(this->counts_are(0));
  BOOST_TEST(this->saw_all());
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(deliver_and_it_had_ended_first, Kind, kinds, closed_upon<Kind>)
{
  this->end_first();
  this->close(close_mode::deliver(long_enough));
  BOOST_TEST(this->reads_all());
  BOOST_TEST(this->t.is(close_outcome::acknowledged));
  BOOST_TEST(this->counts_are(0));
  BOOST_TEST(this->saw_all());
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(deliver_and_it_reads_nothing, Kind, kinds, closed_upon<Kind>)
{
  this->close(close_mode::deliver(too_short));
  BOOST_TEST(this->reads_nothing());
  this->check_timed_out();
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(deliver_and_it_goes_away, Kind, kinds, closed_upon<Kind>)
{
  this->close(close_mode::deliver(long_enough));
  BOOST_TEST(this->goes_away());
  this->check_reset();
}

// The reset comes after the end of the stream, which has been acknowledged.
BOOST_FIXTURE_TEST_CASE(deliver_and_tcp_input_is_unread, closed_upon<closing_tcp>)
{
  send_what_is_not_read();
  close(close_mode::deliver(long_enough));
  BOOST_TEST(reads_all());
  BOOST_TEST(t.is(close_outcome::acknowledged));
  BOOST_TEST(counts_are(0));
  BOOST_TEST(support::wait_tcp_state(pair.far, TCP_CLOSE));
  BOOST_TEST(got.take_all(pair.far));
  BOOST_TEST(got.bytes == sent);
}

BOOST_FIXTURE_TEST_CASE(deliver_and_local_input_is_unread, closed_upon<closing_unix>)
{
  send_what_is_not_read();
  close(close_mode::deliver(long_enough));
  BOOST_TEST(reads_all());
  BOOST_TEST(t.is(close_outcome::acknowledged));
  BOOST_TEST(got.take_all(pair.far));
  BOOST_TEST(got.bytes == sent);
  BOOST_TEST((got.ended || got.error == ECONNRESET));
}

// --- graceful.

BOOST_FIXTURE_TEST_CASE_TEMPLATE(graceful_and_it_reads_all, Kind, kinds, closed_upon<Kind>)
{
  this->close(close_mode::graceful(seconds(1)));
  BOOST_TEST(this->reads_all());
  BOOST_TEST(this->t.is(close_outcome::acknowledged));
  BOOST_TEST((this->t.report.duration >= seconds(1)));
  BOOST_TEST(this->counts_are(0));
  BOOST_TEST(this->saw_all());
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  graceful_and_it_reads_all_and_closes, Kind, kinds, closed_upon<Kind>)
{
  this->close(close_mode::graceful(long_enough));
  BOOST_TEST(this->reads_all_and_closes());
  BOOST_TEST(this->t.is(close_outcome::peer_closed));
  BOOST_TEST(this->counts_are(0));
  BOOST_TEST(this->saw_all());
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(graceful_and_it_had_ended_first, Kind, kinds, closed_upon<Kind>)
{
  this->end_first();
  this->close(close_mode::graceful(long_enough));
  BOOST_TEST(this->reads_all());
  BOOST_TEST(this->t.is(close_outcome::peer_closed));
  BOOST_TEST(this->counts_are(0));
  BOOST_TEST(this->saw_all());
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(graceful_and_input_is_unread, Kind, kinds, closed_upon<Kind>)
{
  this->send_what_is_not_read();
  this->close(close_mode::graceful(long_enough));
  BOOST_TEST(this->reads_all_and_closes());
  BOOST_TEST(this->t.is(close_outcome::peer_closed));
  BOOST_TEST(this->counts_are(0, unread.size()));
  BOOST_TEST(this->saw_all());
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(graceful_and_it_sends_for_ever, Kind, kinds, closed_upon<Kind>)
{
  this->close(close_mode::graceful(long_enough).discard_limit(1 << 20));
  BOOST_TEST(this->sends_for_ever());
  BOOST_TEST(this->t.is(close_outcome::acknowledged));
  BOOST_TEST(this->counts_are(0, 1 << 20));
  BOOST_TEST(this->got.take_all(this->pair.far));
  BOOST_TEST(this->got.bytes == this->sent);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(graceful_and_it_reads_nothing, Kind, kinds, closed_upon<Kind>)
{
  this->close(close_mode::graceful(too_short));
  BOOST_TEST(this->reads_nothing());
  this->check_timed_out();
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(graceful_and_it_goes_away, Kind, kinds, closed_upon<Kind>)
{
  this->close(close_mode::graceful(long_enough));
  BOOST_TEST(this->goes_away());
  this->check_reset();
}

BOOST_AUTO_TEST_SUITE_END()
