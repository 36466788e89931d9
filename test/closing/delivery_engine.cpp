// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Deliveries step by step, by edges and by polling: ends that depend on more than one thing that the peer does. Those
// that depend on one are in delivery_situations.cpp.

#include <interlock/detail/closing/delivery_engine.hpp>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <vector>

#include <sys/socket.h>

#include <boost/test/unit_test.hpp>

#include "support/delivery_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/lingering_socket.hpp"
#include "support/tcp_facts.hpp"

using interlock::close_mode;
using interlock::close_outcome;
using std::chrono::milliseconds;
using support::delivery_fixture;
using support::delivery_probe;
using support::long_enough;
using support::taken;
using support::ways;

namespace {

int socket_error(const support::fd& n)
{
  int error = 0;
  ::socklen_t size = sizeof(error);
  support::checked(::getsockopt(n.get(), SOL_SOCKET, SO_ERROR, &error, &size), "getsockopt");
  return error;
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_delivery_engine)

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_graceful_end_comes_with_that_of_the_peer_and_not_before, Way, ways, delivery_fixture<Way>)
{
  for (support::ends (*connected)() : {&support::tcp_ends, &support::unix_ends})
    for (bool half : {false, true})
    {
      support::ends e = connected();
      support::send_text(e.near, "all of it");
      support::send_text(e.far, "unread before");
      BOOST_TEST(support::wait_input(e.near, 13));
      delivery_probe job;
      this->submit(job, e.near, close_mode::graceful(long_enough));
      taken got;
      BOOST_TEST(this->run_until([&] { return got.ended; }, [&] { got.take(e.far); }));
      BOOST_TEST(got.bytes == 9u);
      this->engine.run_once(milliseconds(0));
      BOOST_TEST(job.reports() == 0);
      support::send_text(e.far, "an answer");
      if (half)
        support::checked(::shutdown(e.far.get(), SHUT_WR), "shutdown");
      else
        e.far.reset();
      BOOST_TEST(this->run_until_delivered(job));
      BOOST_TEST(job.outcome() == close_outcome::peer_closed);
      BOOST_TEST(job.report().discarded == 22u);
    }
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
  for (support::ends (*connected)() : {&support::tcp_ends, &support::unix_ends})
  {
    support::ends e = connected();
    const std::size_t sent_near = support::fill(e.near.get());
    const std::size_t sent_far = support::fill(e.far.get());
    delivery_probe near;
    delivery_probe far;
    this->submit(near, e.near, close_mode::graceful(long_enough));
    this->submit(far, e.far, close_mode::graceful(long_enough));
    BOOST_TEST(this->run_until([&] { return near.reports() && far.reports(); }));
    BOOST_TEST(near.outcome() == close_outcome::peer_closed);
    BOOST_TEST(far.outcome() == close_outcome::peer_closed);
    // What has come when both FINs have is not read any more: close(2) resets nothing then.
    BOOST_TEST((near.report().discarded > 0 && near.report().discarded <= sent_far));
    BOOST_TEST((far.report().discarded > 0 && far.report().discarded <= sent_near));
    if (connected == &support::unix_ends)
      BOOST_TEST((near.report().discarded == sent_far && far.report().discarded == sent_near));
  }
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
  const support::fd local(support::checked(::socket(AF_UNIX, SOCK_STREAM, 0), "socket"));
  std::vector<const support::fd*> all{&local};
  for (const support::fd* n : none.all())
    all.push_back(n);
  for (const support::fd* n : all)
    for (bool drains : {false, true})
    {
      delivery_probe job;
      const auto mode = close_mode::graceful(long_enough);
      drains ? this->engine.drain(job, n->get(), mode) : this->submit(job, *n, mode);
      BOOST_TEST(job.reports() == 0);
      this->engine.run_once(milliseconds(0));
      BOOST_TEST(job.reports() == 1);
      BOOST_TEST(job.outcome() == close_outcome::closed);
    }
}

// Its object may have been opened and closed again by the time that the report has been made.
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
  BOOST_TEST((support::hung_up(first.far) && support::hung_up(second.far)));
  BOOST_TEST(job.outcome() == close_outcome::acknowledged);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_fin_that_comes_meanwhile_is_waited_for_and_not_counted, Way, ways, delivery_fixture<Way>)
{
  support::ends tcp = support::narrow_tcp_ends();
  support::fill(tcp.near.get());
  delivery_probe job;
  this->engine.drain(job, tcp.near.get(), close_mode::deliver(long_enough));
  this->engine.run_once(milliseconds(0));
  support::checked(::shutdown(tcp.near.get(), SHUT_WR), "shutdown");
  this->engine.run_once(milliseconds(20));
  BOOST_TEST(job.reports() == 0);
  this->engine.overtake(job, close_mode::immediate());
  this->engine.run_once(milliseconds(0));
  BOOST_TEST(job.outcome() == close_outcome::closed);
  BOOST_TEST(job.report().unacknowledged == support::output_of(tcp.near) - 1);
}

// A process with a copy has taken the error first.
BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_reset_is_told_although_its_error_has_been_taken, Way, ways, delivery_fixture<Way>)
{
  support::ends tcp = support::narrow_tcp_ends();
  support::fill(tcp.near.get());
  delivery_probe job;
  this->engine.drain(job, tcp.near.get(), close_mode::deliver(long_enough));
  this->engine.run_once(milliseconds(0));
  support::set_linger(tcp.far, 0);
  tcp.far.reset();
  BOOST_TEST(support::wait_tcp_state(tcp.near, TCP_CLOSE));
  BOOST_TEST(socket_error(tcp.near) == ECONNRESET);
  BOOST_TEST(this->run_until_delivered(job));
  BOOST_TEST(job.outcome() == close_outcome::reset);
}

// --- Local connections, where the application itself acknowledges by reading.

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

BOOST_AUTO_TEST_SUITE_END()
