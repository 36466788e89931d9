// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Connections that are drained, by edges and by polling: what is reported, and that nothing is done to
// them that a process with a copy of the descriptor would notice.

#include <interlock/detail/closing/delivery_engine.hpp>

#include <cerrno>
#include <chrono>
#include <cstddef>

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/test/unit_test.hpp>

#include "support/delivery_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/lingering_socket.hpp"
#include "support/tcp_facts.hpp"

using interlock::close_mode;
using interlock::close_outcome;
using interlock::detail::delivery_engine;
using std::chrono::milliseconds;
using std::chrono::seconds;
using support::delivery_fixture;
using support::delivery_probe;
using support::long_enough;
using support::taken;
using support::ways;

namespace {

using clock = delivery_engine::clock;

int option_of(const support::fd& n, int level, int name)
{
  int value = 0;
  ::socklen_t size = sizeof(value);
  support::checked(::getsockopt(n.get(), level, name, &value, &size), "getsockopt");
  return value;
}

/// A full connection. `Way`: of the engine.
template <class Way>
struct draining : delivery_fixture<Way>
{
  support::ends pair;
  const std::size_t sent;
  delivery_probe job;
  taken got;

  explicit draining(support::ends (*make)() = &support::narrow_tcp_ends)
    : pair(make()),
      sent(support::fill(pair.near.get()))
  {
  }

  void drain(const close_mode& mode = close_mode::deliver(long_enough))
  {
    this->engine.drain(job, pair.near.get(), mode);
  }

  /// The peer reads; whether that ends it.
  bool reads_all()
  {
    return this->run_until_delivered(job, [this] { got.take(pair.far); });
  }

  bool is_established() const
  {
    return support::tcp_state_of(pair.near) == TCP_ESTABLISHED;
  }

  void overtake(const close_mode& mode)
  {
    this->engine.run_once(milliseconds(0));
    BOOST_TEST(job.reports() == 0);
    this->engine.overtake(job, mode);
    this->engine.run_once(milliseconds(0));
    BOOST_TEST(job.reports() == 1);
  }
};

template <class Way>
struct draining_local : draining<Way>
{
  draining_local()
    : draining<Way>(&support::unix_ends)
  {
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_delivery_engine_drain)

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  it_is_over_when_all_is_acknowledged_and_no_fin_is_sent, Way, ways, draining<Way>)
{
  this->drain();
  BOOST_TEST(this->reads_all());
  BOOST_TEST(this->job.outcome() == close_outcome::acknowledged);
  BOOST_TEST(this->job.report().unacknowledged == 0u);
  BOOST_TEST(this->job.report().unsent == 0u);
  BOOST_TEST(this->is_established());
  BOOST_TEST(support::wait_until(
    [this] { return this->got.take(this->pair.far), this->got.bytes == this->sent; }));
  BOOST_TEST(!this->got.ended);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  what_is_acknowledged_already_is_not_waited_for, Way, ways, delivery_fixture<Way>)
{
  const support::ends tcp = support::tcp_ends();
  delivery_probe job;
  this->engine.drain(job, tcp.near.get(), close_mode::deliver(long_enough));
  BOOST_TEST(job.reports() == 0);
  this->engine.run_once(milliseconds(0));
  BOOST_TEST(job.reports() == 1);
  BOOST_TEST(job.outcome() == close_outcome::acknowledged);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  what_was_never_connected_is_over_at_once, Way, ways, delivery_fixture<Way>)
{
  const support::undeliverable_fds none;
  for (const support::fd* n : none.all())
  {
    delivery_probe job;
    this->engine.drain(job, n->get(), close_mode::deliver(long_enough));
    this->engine.run_once(milliseconds(0));
    BOOST_TEST(job.reports() == 1);
    BOOST_TEST(job.outcome() == close_outcome::closed);
  }
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  what_is_left_at_the_deadline_is_counted_without_a_fin, Way, ways, draining<Way>)
{
  this->drain(close_mode::deliver(milliseconds(100)));
  BOOST_TEST(this->run_until_delivered(this->job));
  BOOST_TEST(this->job.outcome() == close_outcome::timed_out);
  BOOST_TEST((this->job.report().duration >= milliseconds(100)));
  BOOST_TEST(this->job.report().unacknowledged == support::output_of(this->pair.near));
  BOOST_TEST(this->job.report().unsent == support::queue_of(this->pair.near, SIOCOUTQNSD));
  BOOST_TEST(this->is_established());
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_fin_of_the_programs_own_is_no_byte_that_is_left, Way, ways, draining<Way>)
{
  support::checked(::shutdown(this->pair.near.get(), SHUT_WR), "shutdown");
  this->drain(close_mode::deliver(milliseconds(100)));
  BOOST_TEST(this->run_until_delivered(this->job));
  BOOST_TEST(this->job.outcome() == close_outcome::timed_out);
  BOOST_TEST(this->job.report().unacknowledged == support::output_of(this->pair.near) - 1);
  BOOST_TEST(this->job.report().unsent == support::queue_of(this->pair.near, SIOCOUTQNSD) - 1);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_fin_that_comes_meanwhile_is_waited_for_and_not_counted, Way, ways, draining<Way>)
{
  this->drain();
  this->engine.run_once(milliseconds(0));
  support::checked(::shutdown(this->pair.near.get(), SHUT_WR), "shutdown");
  this->engine.run_once(milliseconds(20));
  BOOST_TEST(this->job.reports() == 0);
  this->engine.overtake(this->job, close_mode::immediate());
  this->engine.run_once(milliseconds(0));
  BOOST_TEST(this->job.outcome() == close_outcome::closed);
  BOOST_TEST(this->job.report().unacknowledged == support::output_of(this->pair.near) - 1);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  ends_that_both_have_sent_before_are_acknowledged, Way, ways, draining<Way>)
{
  support::checked(::shutdown(this->pair.far.get(), SHUT_WR), "shutdown");
  BOOST_TEST(support::wait_tcp_state(this->pair.near, TCP_CLOSE_WAIT));
  support::checked(::shutdown(this->pair.near.get(), SHUT_WR), "shutdown");
  this->drain();
  this->engine.run_once(milliseconds(0));
  BOOST_TEST(this->reads_all());
  BOOST_TEST(this->job.outcome() == close_outcome::acknowledged);
  BOOST_TEST(support::tcp_state_of(this->pair.near) == TCP_CLOSE);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_reset_is_told_and_its_error_left_for_the_next, Way, ways, draining<Way>)
{
  this->drain();
  this->engine.run_once(milliseconds(0));
  support::set_linger(this->pair.far, 0);
  this->pair.far.reset();
  BOOST_TEST(this->run_until_delivered(this->job));
  BOOST_TEST(this->job.outcome() == close_outcome::reset);
  BOOST_TEST(this->job.report().unacknowledged != 0u);
  BOOST_TEST(option_of(this->pair.near, SOL_SOCKET, SO_ERROR) == ECONNRESET);
}

// A process with a copy has taken the error first.
BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_reset_is_told_although_its_error_has_been_taken, Way, ways, draining<Way>)
{
  this->drain();
  this->engine.run_once(milliseconds(0));
  support::set_linger(this->pair.far, 0);
  this->pair.far.reset();
  BOOST_TEST(support::wait_tcp_state(this->pair.near, TCP_CLOSE));
  BOOST_TEST(option_of(this->pair.near, SOL_SOCKET, SO_ERROR) == ECONNRESET);
  BOOST_TEST(this->run_until_delivered(this->job));
  BOOST_TEST(this->job.outcome() == close_outcome::reset);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(the_kernel_is_given_no_limit, Way, ways, draining<Way>)
{
  this->drain();
  this->engine.run_once(milliseconds(0));
  BOOST_TEST(option_of(this->pair.near, IPPROTO_TCP, TCP_USER_TIMEOUT) == 0);
  BOOST_TEST(this->reads_all());
  BOOST_TEST(option_of(this->pair.near, IPPROTO_TCP, TCP_USER_TIMEOUT) == 0);
}

// A mode that waits for more is not meant here: input belongs to the processes that have copies.
BOOST_FIXTURE_TEST_CASE_TEMPLATE(no_input_is_thrown_away, Way, ways, draining<Way>)
{
  support::send_text(this->pair.far, "input");
  BOOST_TEST(support::wait_input(this->pair.near, 5));
  this->drain(close_mode::graceful(long_enough));
  BOOST_TEST(this->reads_all());
  BOOST_TEST(this->job.outcome() == close_outcome::acknowledged);
  BOOST_TEST(this->job.report().discarded == 0u);
  BOOST_TEST(support::drain(this->pair.near) == 5u);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(an_abort_overtakes_it, Way, ways, draining<Way>)
{
  this->drain();
  this->overtake(close_mode::abort());
  BOOST_TEST(this->job.outcome() == close_outcome::aborted);
  this->pair.near.reset();
  BOOST_TEST(this->got.take_all(this->pair.far));
  BOOST_TEST(this->got.error == ECONNRESET);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  an_immediate_end_overtakes_it_and_the_kernel_goes_on, Way, ways, draining<Way>)
{
  this->drain();
  this->overtake(close_mode::immediate());
  BOOST_TEST(this->job.outcome() == close_outcome::closed);
  BOOST_TEST(this->job.report().unacknowledged != 0u);
  BOOST_TEST(this->is_established());
  this->pair.near.reset();
  BOOST_TEST(this->got.take_all(this->pair.far));
  BOOST_TEST((this->got.ended && this->got.bytes == this->sent));
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(a_socket_that_lingered_does_so_no_more, Way, ways, draining<Way>)
{
  support::set_linger(this->pair.near, 60);
  this->drain();
  BOOST_TEST(this->reads_all());
  BOOST_TEST(support::linger_of(this->pair.near.get()).l_onoff == 0);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_local_connection_is_drained_when_its_peer_has_read, Way, ways, draining_local<Way>)
{
  this->drain();
  this->engine.run_once(milliseconds(0));
  BOOST_TEST(this->job.reports() == 0);
  BOOST_TEST(this->reads_all());
  BOOST_TEST(this->job.outcome() == close_outcome::acknowledged);
  BOOST_TEST((this->got.bytes == this->sent && !this->got.ended));
  support::send_text(this->pair.near, "goes on");
  BOOST_TEST(support::drain(this->pair.far) == 7u);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_local_peer_that_goes_away_has_reset_and_the_error_is_left, Way, ways, draining_local<Way>)
{
  this->drain();
  this->engine.run_once(milliseconds(0));
  this->pair.far.reset();
  BOOST_TEST(this->run_until_delivered(this->job));
  BOOST_TEST(this->job.outcome() == close_outcome::reset);
  BOOST_TEST(option_of(this->pair.near, SOL_SOCKET, SO_ERROR) == ECONNRESET);
}

// --- No kernel tells when the queue is empty.

BOOST_FIXTURE_TEST_CASE_TEMPLATE(looks_are_as_rare_as_the_time_is_long, Way, ways, draining<Way>)
{
  const auto begin = clock::now();
  this->drain();
  this->engine.run_once(milliseconds(0));
  BOOST_TEST((this->engine.next_deadline() <= clock::now() + delivery_engine::shortest_period));
  BOOST_TEST(this->run_until([this]
    { return this->engine.next_deadline() > clock::now() + delivery_engine::longest_period / 8; }));
  BOOST_TEST((clock::now() - begin >= delivery_engine::longest_period / 16));
  BOOST_TEST(this->run_until([this]
    { return this->engine.next_deadline() > clock::now() + delivery_engine::longest_period / 2; }));
  BOOST_TEST((this->engine.next_deadline() <= clock::now() + delivery_engine::longest_period));
  this->engine.overtake(this->job, close_mode::immediate());
  this->engine.run_once(milliseconds(0));
}

// A process that writes to a copy causes looks, because no event wakes us for what it has sent.
BOOST_FIXTURE_TEST_CASE(an_edge_begins_them_anew, draining<support::by_edges>)
{
  drain();
  BOOST_TEST(run_until([this]
    { return engine.next_deadline() > clock::now() + delivery_engine::longest_period / 2; }));
  while (!engine.has_edge(0))
    got.take(pair.far, 4096);
  engine.run_once(milliseconds(0));
  if (job.reports() == 0)
    BOOST_TEST((engine.next_deadline() <= clock::now() + delivery_engine::shortest_period));
  BOOST_TEST(reads_all());
}

BOOST_AUTO_TEST_SUITE_END()
