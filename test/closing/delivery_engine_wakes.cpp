// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What wakes the engine's thread, how often it looks, many deliveries at once, and how it does without descriptors.

#include <interlock/detail/closing/delivery_engine.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include <sys/resource.h>

#include <boost/test/unit_test.hpp>

#include "support/delivery_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/no_trace.hpp"
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

constexpr int patient = 60000;

/// A delivery of more than the peer has room for.
struct delivering : delivery_fixture<support::by_edges>
{
  support::ends tcp = support::narrow_tcp_ends();
  delivery_probe job;
  taken got;

  delivering()
  {
    support::fill(tcp.near.get());
  }

  void begin(const close_mode& mode)
  {
    submit(job, tcp.near, mode);
    engine.run_once(milliseconds(0));
    run_until_quiet();
  }

  /// Looks until nothing happens any more.
  void run_until_quiet()
  {
    BOOST_TEST(run_until([this] { return !engine.has_edge(0); }));
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_delivery_engine_wakes)

// What the polling is the fall-back of.
BOOST_FIXTURE_TEST_CASE(an_acknowledgement_wakes_the_thread_long_before_the_next_look, delivering)
{
  begin(close_mode::graceful(long_enough));
  BOOST_TEST(got.take_all(tcp.far));
  BOOST_TEST(engine.has_edge(patient));
  run_until_quiet();
  BOOST_TEST(support::tcp_state_of(tcp.near) == TCP_FIN_WAIT2);
  BOOST_TEST((engine.next_deadline() > std::chrono::steady_clock::now() + milliseconds(200)));
  BOOST_TEST(job.reports() == 0);
  tcp.far.reset();
  BOOST_TEST(engine.has_edge(patient));
  engine.run_once(milliseconds(0));
  BOOST_TEST(job.outcome() == close_outcome::peer_closed);
}

BOOST_FIXTURE_TEST_CASE(the_last_acknowledgement_after_a_fin_of_the_peer_wakes_too, delivering)
{
  support::checked(::shutdown(tcp.far.get(), SHUT_WR), "shutdown");
  begin(close_mode::deliver(long_enough));
  BOOST_TEST(got.take_all(tcp.far));
  BOOST_TEST(engine.has_edge(patient));
  BOOST_TEST(run_until_delivered(job));
  BOOST_TEST(job.outcome() == close_outcome::acknowledged);
}

BOOST_FIXTURE_TEST_CASE(a_reset_wakes_too, delivering)
{
  begin(close_mode::deliver(long_enough));
  tcp.far.reset();
  BOOST_TEST(engine.has_edge(patient));
  engine.run_once(milliseconds(0));
  BOOST_TEST(job.outcome() == close_outcome::reset);
}

BOOST_FIXTURE_TEST_CASE(input_wakes_only_a_delivery_that_discards_it, delivering)
{
  begin(close_mode::deliver(long_enough));
  support::send_text(tcp.far, "input");
  BOOST_TEST(support::wait_input(tcp.near, 5));
  BOOST_TEST(!engine.has_edge(0));
  engine.overtake(job, close_mode::immediate());
  engine.run_once(milliseconds(0));
  BOOST_TEST(job.reports() == 1);
}

// Before its first job, and after its last.
BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  an_engine_without_jobs_has_no_deadline_and_waits, Way, ways, delivery_fixture<Way>)
{
  using clock = delivery_engine::clock;
  for (const bool had_one : {false, true})
  {
    support::ends tcp = support::tcp_ends();
    delivery_probe job;
    if (had_one)
    {
      this->submit(job, tcp.near, close_mode::deliver(long_enough));
      BOOST_TEST(this->run_until_delivered(job));
    }
    BOOST_TEST(this->engine.idle());
    BOOST_TEST((this->engine.next_deadline() == clock::time_point::max()));
    const auto begin = clock::now();
    this->engine.run_once(milliseconds(20));
    BOOST_TEST((clock::now() - begin >= milliseconds(20)));
  }
}

// No kernel tells when a queue is empty.
BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  looks_are_as_rare_as_the_time_is_long, Way, ways, delivery_fixture<Way>)
{
  using clock = delivery_engine::clock;
  for (bool drains : {false, true})
  {
    support::ends tcp = support::narrow_tcp_ends();
    support::fill(tcp.near.get());
    delivery_probe job;
    const auto due_after = [&](clock::duration time)
    { return this->engine.next_deadline() > clock::now() + time; };
    const auto mode = close_mode::deliver(long_enough);
    const auto begin = clock::now();
    drains ? this->engine.drain(job, tcp.near.get(), mode) : this->submit(job, tcp.near, mode);
    this->engine.run_once(milliseconds(0));
    if (drains || Way::way == interlock::detail::watching::never)
      BOOST_TEST(!due_after(delivery_engine::shortest_period));
    BOOST_TEST(this->run_until([&] { return due_after(delivery_engine::longest_period / 8); }));
    if (drains)
      BOOST_TEST((clock::now() - begin >= delivery_engine::longest_period / 16));
    BOOST_TEST(this->run_until([&] { return due_after(delivery_engine::longest_period / 2); }));
    BOOST_TEST(!due_after(delivery_engine::longest_period));
    this->engine.overtake(job, close_mode::immediate());
    this->engine.run_once(milliseconds(0));
  }
}

// The kernel may wake us a moment before a local queue is empty, and then not again. A process that writes to a copy of
// the descriptor causes looks, because no event wakes us for what it has sent.
BOOST_FIXTURE_TEST_CASE(an_edge_begins_them_anew, delivery_fixture<support::by_edges>)
{
  using clock = delivery_engine::clock;
  for (bool drains : {false, true})
  {
    support::ends e = drains ? support::narrow_tcp_ends() : support::unix_ends();
    support::fill(e.near.get());
    delivery_probe job;
    const auto mode = close_mode::deliver(long_enough);
    drains ? engine.drain(job, e.near.get(), mode) : submit(job, e.near, mode);
    BOOST_TEST(run_until(
      [&] { return engine.next_deadline() > clock::now() + delivery_engine::longest_period / 2; }));
    taken got;
    while (!engine.has_edge(0))
      got.take(e.far, 1000);
    engine.run_once(milliseconds(0));
    if (job.reports() == 0)
      BOOST_TEST((engine.next_deadline() <= clock::now() + delivery_engine::shortest_period));
    BOOST_TEST(run_until_delivered(job, [&] { got.take(e.far); }));
    BOOST_TEST(job.outcome() == close_outcome::acknowledged);
  }
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(a_thousand_jobs_go_on_at_once, Way, ways, delivery_fixture<Way>)
{
  const support::many_descriptors enough;
  constexpr std::size_t count = 1000;
  std::deque<delivery_probe> jobs(count);
  std::vector<support::ends> connections;
  for (std::size_t i = 0; i < count; ++i)
    connections.push_back(i % 2 ? support::narrow_tcp_ends() : support::unix_ends());
  std::size_t sent = 0;
  for (const support::ends& c : connections)
    sent += support::fill(c.near.get());
  for (std::size_t i = 0; i < count; ++i)
    this->submit(jobs[i], connections[i].near, close_mode::deliver(long_enough));
  std::vector<taken> got(count);
  const auto all_reported = [&]
  { return std::all_of(jobs.begin(), jobs.end(), [](auto& job) { return job.reports() == 1; }); };
  BOOST_TEST(this->run_until(all_reported,
    [&]
    {
      for (std::size_t i = 0; i < count; ++i)
        got[i].take(connections[i].far);
    }));
  std::size_t arrived = 0;
  for (std::size_t i = 0; i < count; ++i)
  {
    BOOST_TEST_REQUIRE(jobs[i].outcome() == close_outcome::acknowledged);
    BOOST_TEST_REQUIRE(got[i].take_all(connections[i].far));
    arrived += got[i].bytes;
  }
  BOOST_TEST(arrived == sent);
}

BOOST_AUTO_TEST_CASE(without_a_descriptor_for_the_set_it_polls_and_has_the_set_when_there_is_one)
{
  support::ends first = support::narrow_tcp_ends();
  support::ends second = support::narrow_tcp_ends();
  for (const support::ends* e : {&first, &second})
    support::fill(e->near.get());
  std::optional<support::delivery_driver> engine;
  delivery_probe job;
  taken got;
  const auto run_until_reported = [&](int times, const support::fd& peer)
  {
    return support::wait_until(
      [&]
      {
        got.take(peer);
        engine->run_once(milliseconds(1));
        return job.reports() == times;
      });
  };
  {
    const support::no_more_descriptors none;
    engine.emplace(interlock::detail::watching::edges);
    engine->submit(job, first.near.get(), close_mode::deliver(long_enough));
    BOOST_TEST(run_until_reported(1, first.far));
    BOOST_TEST(job.outcome() == close_outcome::acknowledged);
  }
  engine->submit(job, second.near.get(), close_mode::deliver(long_enough));
  engine->run_once(milliseconds(0));
  while (engine->has_edge(0))
    engine->run_once(milliseconds(0));
  got = taken();
  BOOST_TEST(got.take_all(second.far));
  BOOST_TEST(engine->has_edge(patient));
  BOOST_TEST(run_until_reported(2, second.far));
  BOOST_TEST(job.outcome() == close_outcome::acknowledged);
}

BOOST_AUTO_TEST_CASE(a_job_is_small)
{
  BOOST_TEST_MESSAGE("a delivery takes " << sizeof(interlock::detail::delivery_job) << " bytes");
  BOOST_TEST(sizeof(interlock::detail::delivery_job) <= 152u);
}

BOOST_AUTO_TEST_SUITE_END()
