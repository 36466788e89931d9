// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Deliveries over AF_UNIX, where the peer's application itself acknowledges by reading.

#include <interlock/detail/closing/delivery_engine.hpp>

#include <cerrno>
#include <chrono>
#include <cstddef>

#include <boost/test/unit_test.hpp>

#include "support/delivery_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/tcp_facts.hpp"

using interlock::close_mode;
using interlock::close_outcome;
using std::chrono::milliseconds;
using support::delivery_fixture;
using support::delivery_probe;
using support::long_enough;
using support::taken;
using support::ways;

BOOST_AUTO_TEST_SUITE(test_delivery_engine_local)

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  it_is_delivered_when_the_peer_has_read_all, Way, ways, delivery_fixture<Way>)
{
  support::ends local = support::unix_ends();
  const std::size_t sent = support::fill(local.near.get());
  delivery_probe job;
  this->submit(job, local.near, close_mode::deliver(long_enough));
  taken got;
  bool too_early = false;
  job.on_delivered = [&] { too_early = got.bytes != sent; };
  BOOST_TEST(this->run_until_delivered(job, [&] { got.take(local.far); }));
  BOOST_TEST(job.outcome() == close_outcome::acknowledged);
  BOOST_TEST(!too_early);
  BOOST_TEST(job.report().unacknowledged == 0u);
  BOOST_TEST(got.take_all(local.far));
  BOOST_TEST((got.ended && got.bytes == sent));
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_little_is_delivered_as_well_as_much, Way, ways, delivery_fixture<Way>)
{
  support::ends local = support::unix_ends();
  support::send_text(local.near, "x");
  delivery_probe job;
  this->submit(job, local.near, close_mode::deliver(long_enough));
  this->engine.run_once(milliseconds(0));
  this->engine.run_once(milliseconds(0));
  BOOST_TEST(job.reports() == 0);
  BOOST_TEST(support::drain(local.far) == 1u);
  BOOST_TEST(this->run_until_delivered(job));
  BOOST_TEST(job.outcome() == close_outcome::acknowledged);
}

// The kernel may wake us a moment before the queue is empty, and then not again.
BOOST_FIXTURE_TEST_CASE(after_an_edge_the_next_look_is_soon, delivery_fixture<support::by_edges>)
{
  using clock = std::chrono::steady_clock;
  using interlock::detail::delivery_engine;
  support::ends local = support::unix_ends();
  support::fill(local.near.get());
  delivery_probe job;
  submit(job, local.near, close_mode::deliver(long_enough));
  BOOST_TEST(run_until(
    [&] { return engine.next_deadline() > clock::now() + delivery_engine::longest_period / 2; }));
  taken got;
  while (!engine.has_edge(0))
    got.take(local.far, 1000);
  engine.run_once(milliseconds(0));
  BOOST_TEST(job.reports() == 0);
  BOOST_TEST((engine.next_deadline() <= clock::now() + delivery_engine::shortest_period));
  BOOST_TEST(run_until_delivered(job, [&] { got.take(local.far); }));
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_peer_that_closes_with_unread_data_has_reset, Way, ways, delivery_fixture<Way>)
{
  for (close_mode mode : {close_mode::deliver(long_enough), close_mode::graceful(long_enough)})
  {
    support::ends local = support::unix_ends();
    support::fill(local.near.get());
    delivery_probe job;
    this->submit(job, local.near, mode);
    this->engine.run_once(milliseconds(0));
    BOOST_TEST(job.reports() == 0);
    local.far.reset();
    BOOST_TEST(this->run_until_delivered(job));
    BOOST_TEST(job.outcome() == close_outcome::reset);
  }
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_graceful_end_comes_with_the_end_of_the_peer, Way, ways, delivery_fixture<Way>)
{
  for (bool half : {false, true})
  {
    support::ends local = support::unix_ends();
    support::send_text(local.near, "all of it");
    support::send_text(local.far, "unread before");
    delivery_probe job;
    this->submit(job, local.near, close_mode::graceful(long_enough));
    this->engine.run_once(milliseconds(0));
    BOOST_TEST(support::drain(local.far) == 9u);
    this->engine.run_once(milliseconds(0));
    BOOST_TEST(job.reports() == 0);
    support::send_text(local.far, "an answer");
    if (half)
      support::checked(::shutdown(local.far.get(), SHUT_WR), "shutdown");
    else
      local.far.reset();
    BOOST_TEST(this->run_until_delivered(job));
    BOOST_TEST(job.outcome() == close_outcome::peer_closed);
    BOOST_TEST(job.report().discarded == 22u);
  }
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_peer_that_ended_first_and_then_reads, Way, ways, delivery_fixture<Way>)
{
  for (bool graceful : {false, true})
  {
    support::ends local = support::unix_ends();
    const std::size_t sent = support::fill(local.near.get());
    support::checked(::shutdown(local.far.get(), SHUT_WR), "shutdown");
    delivery_probe job;
    this->submit(job, local.near,
      graceful ? close_mode::graceful(long_enough) : close_mode::deliver(long_enough));
    taken got;
    BOOST_TEST(this->run_until_delivered(job, [&] { got.take(local.far); }));
    BOOST_TEST(
      job.outcome() == (graceful ? close_outcome::peer_closed : close_outcome::acknowledged));
    BOOST_TEST(got.take_all(local.far));
    BOOST_TEST(got.bytes == sent);
  }
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  what_a_peer_does_not_read_is_there_at_the_deadline, Way, ways, delivery_fixture<Way>)
{
  support::ends local = support::unix_ends();
  support::send_text(local.near, "unread");
  delivery_probe job;
  this->submit(job, local.near, close_mode::deliver(milliseconds(50)));
  BOOST_TEST(this->run_until_delivered(job));
  BOOST_TEST(job.outcome() == close_outcome::timed_out);
  BOOST_TEST(job.report().unacknowledged == support::output_of(local.near));
  BOOST_TEST(job.report().unsent == 0u);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  two_full_local_peers_end_gracefully_on_each_other, Way, ways, delivery_fixture<Way>)
{
  support::ends local = support::unix_ends();
  const std::size_t sent_near = support::fill(local.near.get());
  const std::size_t sent_far = support::fill(local.far.get());
  delivery_probe near;
  delivery_probe far;
  this->submit(near, local.near, close_mode::graceful(long_enough));
  this->submit(far, local.far, close_mode::graceful(long_enough));
  BOOST_TEST(this->run_until([&] { return near.reports() && far.reports(); }));
  BOOST_TEST(near.outcome() == close_outcome::peer_closed);
  BOOST_TEST(far.outcome() == close_outcome::peer_closed);
  BOOST_TEST(near.report().discarded == sent_far);
  BOOST_TEST(far.report().discarded == sent_near);
}

// Its queue is empty whether it has read or not.
BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_peer_that_had_gone_has_read_all_only_if_every_error_is_known, Way, ways, delivery_fixture<Way>)
{
  using interlock::detail::known_errors;
  for (bool drains : {false, true})
    for (bool are_all : {false, true})
      for (const unsigned char error : {0, ECONNRESET, EPIPE})
      {
        support::ends local = support::unix_ends();
        local.far.reset();
        delivery_probe job;
        job.received = known_errors{error, are_all};
        const auto mode = close_mode::deliver(long_enough);
        drains ? this->engine.drain(job, local.near.get(), mode)
               : this->submit(job, local.near, mode);
        BOOST_TEST(this->run_until_delivered(job));
        BOOST_TEST(job.outcome()
          == (error == ECONNRESET ? close_outcome::reset
              : are_all           ? close_outcome::acknowledged
                                  : close_outcome::closed));
      }
}

// Both sides have ended theirs, which looks the same.
BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_peer_that_may_have_gone_is_waited_for_while_it_has_not_read, Way, ways, delivery_fixture<Way>)
{
  support::ends local = support::unix_ends();
  support::send_text(local.near, "unread");
  support::send_text(local.far, "as well");
  for (const support::fd* end : {&local.near, &local.far})
    support::checked(::shutdown(end->get(), SHUT_WR), "shutdown");
  delivery_probe job;
  job.received.are_all = false;
  this->submit(job, local.near, close_mode::graceful(long_enough));
  this->engine.run_once(milliseconds(0));
  BOOST_TEST(job.reports() == 0);
  BOOST_TEST(support::drain(local.far) == 6u);
  BOOST_TEST(this->run_until_delivered(job));
  BOOST_TEST(job.outcome() == close_outcome::closed);
  BOOST_TEST(job.report().discarded == 7u);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_local_socket_without_a_peer_is_closed, Way, ways, delivery_fixture<Way>)
{
  const support::fd fresh(support::checked(::socket(AF_UNIX, SOCK_STREAM, 0), "socket"));
  delivery_probe job;
  this->submit(job, fresh, close_mode::graceful(long_enough));
  BOOST_TEST(this->run_until_delivered(job));
  BOOST_TEST(job.outcome() == close_outcome::closed);
}

BOOST_AUTO_TEST_SUITE_END()
