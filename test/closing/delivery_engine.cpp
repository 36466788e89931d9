// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Deliveries over TCP to peers of every kind, by edges and by polling: what is reported, and what the
// peer sees.

#include <interlock/detail/closing/delivery_engine.hpp>

#include <chrono>
#include <cstddef>
#include <string>

#include <boost/test/unit_test.hpp>

#include "support/delivery_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/lingering_socket.hpp"
#include "support/tcp_facts.hpp"

using interlock::close_mode;
using interlock::close_outcome;
using std::chrono::milliseconds;
using std::chrono::seconds;
using support::delivery_fixture;
using support::delivery_probe;
using support::long_enough;
using support::taken;
using support::ways;

BOOST_AUTO_TEST_SUITE(test_delivery_engine)

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_peer_that_reads_all_has_acknowledged_although_it_keeps_open, Way, ways, delivery_fixture<Way>)
{
  support::ends tcp = support::narrow_tcp_ends();
  const std::size_t sent = support::fill(tcp.near.get());
  delivery_probe job;
  this->submit(job, tcp.near, close_mode::deliver(long_enough));
  taken got;
  BOOST_TEST(this->run_until_delivered(job, [&] { got.take(tcp.far); }));
  BOOST_TEST(job.outcome() == close_outcome::acknowledged);
  BOOST_TEST(job.report().unacknowledged == 0u);
  BOOST_TEST(job.report().unsent == 0u);
  BOOST_TEST(job.report().discarded == 0u);
  BOOST_TEST(job.report().refused_writes == 0u);
  BOOST_TEST((job.report().duration > close_mode::duration::zero()));
  BOOST_TEST(got.take_all(tcp.far));
  BOOST_TEST((got.ended && got.bytes == sent));
  BOOST_TEST(job.reports() == 1);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_slow_peer_is_waited_for_as_long_as_it_reads, Way, ways, delivery_fixture<Way>)
{
  support::ends tcp = support::narrow_tcp_ends();
  const std::size_t sent = support::fill(tcp.near.get());
  delivery_probe job;
  this->submit(job, tcp.near, close_mode::deliver(long_enough).progress_timeout(seconds(20)));
  taken got;
  std::size_t turns = 0;
  BOOST_TEST(this->run_until_delivered(job,
    [&]
    {
      if (++turns % 2)
        got.take(tcp.far, 32768);
    }));
  BOOST_TEST(job.outcome() == close_outcome::acknowledged);
  BOOST_TEST(got.take_all(tcp.far));
  BOOST_TEST((got.ended && got.bytes == sent));
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  what_a_peer_does_not_read_is_counted_at_the_deadline, Way, ways, delivery_fixture<Way>)
{
  support::ends tcp = support::narrow_tcp_ends();
  support::fill(tcp.near.get());
  delivery_probe job;
  std::size_t queued = 0;
  std::size_t unsent = 0;
  job.on_delivered = [&]
  {
    queued = support::output_of(tcp.near);
    unsent = support::queue_of(tcp.near, SIOCOUTQNSD);
  };
  this->submit(job, tcp.near, close_mode::deliver(milliseconds(100)));
  BOOST_TEST(this->run_until_delivered(job));
  BOOST_TEST(job.outcome() == close_outcome::timed_out);
  BOOST_TEST((job.report().duration >= milliseconds(100)));
  // The system counts our FIN.
  BOOST_TEST(queued > 1u);
  BOOST_TEST(job.report().unacknowledged == queued - 1);
  BOOST_TEST(job.report().unsent == unsent - 1);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(a_peer_that_resets_is_told, Way, ways, delivery_fixture<Way>)
{
  support::ends tcp = support::narrow_tcp_ends();
  support::fill(tcp.near.get());
  delivery_probe job;
  this->submit(job, tcp.near, close_mode::deliver(long_enough));
  this->engine.run_once(milliseconds(0));
  BOOST_TEST(job.reports() == 0);
  support::set_linger(tcp.far, 0);
  tcp.far.reset();
  BOOST_TEST(this->run_until_delivered(job));
  BOOST_TEST(job.outcome() == close_outcome::reset);
  BOOST_TEST(job.report().unacknowledged != 0u);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_peer_that_goes_away_with_unread_data_has_reset, Way, ways, delivery_fixture<Way>)
{
  for (close_mode mode : {close_mode::deliver(long_enough), close_mode::graceful(long_enough)})
  {
    support::ends tcp = support::narrow_tcp_ends();
    support::fill(tcp.near.get());
    delivery_probe job;
    this->submit(job, tcp.near, mode);
    this->engine.run_once(milliseconds(0));
    tcp.far.reset();
    BOOST_TEST(this->run_until_delivered(job));
    BOOST_TEST(job.outcome() == close_outcome::reset);
  }
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_connection_that_was_reset_before_is_told_so, Way, ways, delivery_fixture<Way>)
{
  support::ends tcp = support::tcp_ends();
  support::set_linger(tcp.far, 0);
  tcp.far.reset();
  BOOST_TEST(support::wait_tcp_state(tcp.near, TCP_CLOSE));
  delivery_probe job;
  this->submit(job, tcp.near, close_mode::graceful(long_enough));
  BOOST_TEST(this->run_until_delivered(job));
  BOOST_TEST(job.outcome() == close_outcome::reset);
}

// LAST_ACK ends in CLOSE; there is no FIN_WAIT2 to be seen.
BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_peer_that_half_closes_first_and_then_reads_all, Way, ways, delivery_fixture<Way>)
{
  for (bool graceful : {false, true})
  {
    support::ends tcp = support::narrow_tcp_ends();
    const std::size_t sent = support::fill(tcp.near.get());
    support::checked(::shutdown(tcp.far.get(), SHUT_WR), "shutdown");
    BOOST_TEST(support::wait_tcp_state(tcp.near, TCP_CLOSE_WAIT));
    delivery_probe job;
    this->submit(job, tcp.near,
      graceful ? close_mode::graceful(long_enough) : close_mode::deliver(long_enough));
    this->engine.run_once(milliseconds(0));
    BOOST_TEST(support::tcp_state_of(tcp.near) == TCP_LAST_ACK);
    taken got;
    BOOST_TEST(this->run_until_delivered(job, [&] { got.take(tcp.far); }));
    BOOST_TEST(
      job.outcome() == (graceful ? close_outcome::peer_closed : close_outcome::acknowledged));
    BOOST_TEST(support::tcp_state_of(tcp.near) == TCP_CLOSE);
    BOOST_TEST(got.take_all(tcp.far));
    BOOST_TEST((got.ended && got.bytes == sent));
  }
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_graceful_end_comes_with_the_fin_of_the_peer_and_not_before, Way, ways, delivery_fixture<Way>)
{
  support::ends tcp = support::tcp_ends();
  support::send_text(tcp.near, "all of it");
  delivery_probe job;
  this->submit(job, tcp.near, close_mode::graceful(long_enough));
  BOOST_TEST(this->run_until([&] { return support::tcp_state_of(tcp.near) == TCP_FIN_WAIT2; }));
  this->engine.run_once(milliseconds(0));
  BOOST_TEST(job.reports() == 0);
  support::send_text(tcp.far, "an answer");
  taken got;
  BOOST_TEST(got.take_all(tcp.far));
  BOOST_TEST(got.bytes == 9u);
  tcp.far.reset();
  BOOST_TEST(this->run_until_delivered(job));
  BOOST_TEST(job.outcome() == close_outcome::peer_closed);
  BOOST_TEST(job.report().discarded == 9u);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  what_was_acknowledged_by_the_deadline_has_not_timed_out, Way, ways, delivery_fixture<Way>)
{
  support::ends tcp = support::tcp_ends();
  support::send_text(tcp.near, "all of it");
  delivery_probe job;
  this->submit(job, tcp.near, close_mode::graceful(milliseconds(150)));
  taken got;
  BOOST_TEST(this->run_until_delivered(job, [&] { got.take(tcp.far); }));
  BOOST_TEST(job.outcome() == close_outcome::acknowledged);
  BOOST_TEST((job.report().duration >= milliseconds(150)));
}

// Plain close(2) answers the unread input with a reset, and what was still on its way is lost.
BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  unread_input_costs_data_in_a_plain_close_and_not_a_byte_in_a_graceful_one, Way, ways,
  delivery_fixture<Way>)
{
  const auto filled = [](std::size_t& sent)
  {
    support::ends tcp = support::narrow_tcp_ends();
    support::send_text(tcp.far, "pipelined request");
    BOOST_TEST(support::wait_input(tcp.near, 17));
    sent = support::fill(tcp.near.get());
    return tcp;
  };
  std::size_t sent = 0;
  {
    support::ends tcp = filled(sent);
    tcp.near.reset();
    taken got;
    BOOST_TEST(got.take_all(tcp.far));
    BOOST_TEST(got.error == ECONNRESET);
    BOOST_TEST(got.bytes < sent);
  }
  support::ends tcp = filled(sent);
  delivery_probe job;
  job.on_delivered = [&] { tcp.near.reset(); };
  this->submit(job, tcp.near, close_mode::graceful(long_enough));
  taken got;
  BOOST_TEST(this->run_until_delivered(job,
    [&]
    {
      got.take(tcp.far);
      if (got.ended)
        tcp.far.reset();
    }));
  BOOST_TEST(job.outcome() == close_outcome::peer_closed);
  BOOST_TEST(job.report().discarded == 17u);
  BOOST_TEST((got.ended && got.error == 0));
  BOOST_TEST(got.bytes == sent);
}

// Neither reads but by discarding: each would wait for the other for ever.
BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  two_full_peers_end_gracefully_on_each_other, Way, ways, delivery_fixture<Way>)
{
  support::ends tcp = support::tcp_ends();
  const std::size_t sent_near = support::fill(tcp.near.get());
  const std::size_t sent_far = support::fill(tcp.far.get());
  delivery_probe near;
  delivery_probe far;
  this->submit(near, tcp.near, close_mode::graceful(long_enough));
  this->submit(far, tcp.far, close_mode::graceful(long_enough));
  BOOST_TEST(this->run_until_delivered(near));
  BOOST_TEST(this->run_until_delivered(far));
  BOOST_TEST(near.outcome() == close_outcome::peer_closed);
  BOOST_TEST(far.outcome() == close_outcome::peer_closed);
  // What had come when both FINs had is not read any more: close(2) resets nothing then.
  BOOST_TEST((near.report().discarded > 0 && near.report().discarded <= sent_far));
  BOOST_TEST((far.report().discarded > 0 && far.report().discarded <= sent_near));
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_copy_of_the_descriptor_causes_no_events_afterwards, Way, ways, delivery_fixture<Way>)
{
  support::ends tcp = support::narrow_tcp_ends();
  const support::fd copy(support::checked(::dup(tcp.near.get()), "dup"));
  support::fill(tcp.near.get());
  delivery_probe job;
  job.on_delivered = [&] { tcp.near.reset(); };
  this->submit(job, tcp.near, close_mode::deliver(long_enough));
  taken got;
  BOOST_TEST(this->run_until_delivered(job, [&] { got.take(tcp.far); }));
  BOOST_TEST(job.outcome() == close_outcome::acknowledged);
  // The connection lives on, and the engine ignores it.
  support::send_text(tcp.far, "to the copy");
  BOOST_TEST(support::wait_input(copy, 11));
  BOOST_TEST(!this->engine.has_edge(0));
  this->engine.run_once(milliseconds(0));
  BOOST_TEST(job.reports() == 1);
  BOOST_TEST(support::drain(copy) == 11u);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  what_can_deliver_nothing_is_over_at_once, Way, ways, delivery_fixture<Way>)
{
  const support::undeliverable_fds none;
  for (const support::fd* n : none.all())
  {
    delivery_probe job;
    this->submit(job, *n, close_mode::graceful(long_enough));
    BOOST_TEST(job.reports() == 0);
    this->engine.run_once(milliseconds(0));
    BOOST_TEST(job.reports() == 1);
    BOOST_TEST(job.outcome() == close_outcome::closed);
  }
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_job_can_be_used_again_as_soon_as_it_is_reported, Way, ways, delivery_fixture<Way>)
{
  support::ends first = support::tcp_ends();
  support::ends second = support::tcp_ends();
  delivery_probe job;
  job.on_delivered = [&]
  {
    if (job.reports() == 0)
      this->submit(job, second.near, close_mode::deliver(long_enough));
  };
  this->submit(job, first.near, close_mode::deliver(long_enough));
  BOOST_TEST(this->run_until([&] { return job.reports() == 2; }));
  BOOST_TEST(support::hung_up(first.far));
  BOOST_TEST(support::hung_up(second.far));
  BOOST_TEST(job.outcome() == close_outcome::acknowledged);
}

BOOST_AUTO_TEST_SUITE_END()
