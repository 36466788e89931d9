// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The engine among threads: who is called where, what wakes it, many jobs at once, its end, and how
// it does without descriptors.

#include <interlock/detail/closing/delivery_engine.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <thread>
#include <vector>

#include <sys/resource.h>

#include <boost/test/unit_test.hpp>

#include "support/delivery_probe.hpp"
#include "support/delivery_thread.hpp"
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
using support::delivery_thread;
using support::long_enough;
using support::taken;
using support::ways;

namespace {

/// Whether the engine's set becomes readable, however long the next look may be away.
bool has_edge(const delivery_engine& engine, int milliseconds)
{
  return support::readable(engine.fd(), milliseconds);
}

template <class Fixture>
void run_until_quiet(Fixture& f)
{
  BOOST_TEST(f.run_until([&] { return f.engine.fd() >= 0 && !has_edge(f.engine, 0); }));
}

constexpr int patient = 60000;

/// As many descriptors as the system allows.
class many_descriptors
{
public:
  many_descriptors()
  {
    support::checked(::getrlimit(RLIMIT_NOFILE, &before_), "getrlimit");
    ::rlimit all = before_;
    all.rlim_cur = all.rlim_max;
    support::checked(::setrlimit(RLIMIT_NOFILE, &all), "setrlimit");
  }

  many_descriptors(const many_descriptors&) = delete;
  many_descriptors& operator=(const many_descriptors&) = delete;

  ~many_descriptors()
  {
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }

private:
  ::rlimit before_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_delivery_engine_threads)

// What the polling is the fall-back of.
BOOST_FIXTURE_TEST_CASE(an_acknowledgement_wakes_the_thread_long_before_the_next_look,
  delivery_fixture<support::by_edges>)
{
  support::ends tcp = support::narrow_tcp_ends();
  support::fill(tcp.near.get());
  delivery_probe job;
  submit(job, tcp.near, close_mode::graceful(long_enough));
  engine.run_once(milliseconds(0));
  run_until_quiet(*this);
  taken got;
  BOOST_TEST(got.take_all(tcp.far));
  BOOST_TEST(has_edge(engine, patient));
  run_until_quiet(*this);
  BOOST_TEST(support::tcp_state_of(tcp.near) == TCP_FIN_WAIT2);
  BOOST_TEST((engine.next_deadline() > std::chrono::steady_clock::now() + milliseconds(200)));
  BOOST_TEST(job.reports() == 0);
  tcp.far.reset();
  BOOST_TEST(has_edge(engine, patient));
  engine.run_once(milliseconds(0));
  BOOST_TEST(job.outcome() == close_outcome::peer_closed);
}

BOOST_FIXTURE_TEST_CASE(
  the_last_acknowledgement_after_a_fin_of_the_peer_wakes_too, delivery_fixture<support::by_edges>)
{
  support::ends tcp = support::narrow_tcp_ends();
  support::fill(tcp.near.get());
  support::checked(::shutdown(tcp.far.get(), SHUT_WR), "shutdown");
  delivery_probe job;
  submit(job, tcp.near, close_mode::deliver(long_enough));
  engine.run_once(milliseconds(0));
  run_until_quiet(*this);
  taken got;
  BOOST_TEST(got.take_all(tcp.far));
  BOOST_TEST(has_edge(engine, patient));
  BOOST_TEST(run_until_delivered(job));
  BOOST_TEST(job.outcome() == close_outcome::acknowledged);
}

BOOST_FIXTURE_TEST_CASE(a_reset_wakes_too, delivery_fixture<support::by_edges>)
{
  support::ends tcp = support::narrow_tcp_ends();
  support::fill(tcp.near.get());
  delivery_probe job;
  submit(job, tcp.near, close_mode::deliver(long_enough));
  engine.run_once(milliseconds(0));
  run_until_quiet(*this);
  tcp.far.reset();
  BOOST_TEST(has_edge(engine, patient));
  engine.run_once(milliseconds(0));
  BOOST_TEST(job.outcome() == close_outcome::reset);
}

BOOST_FIXTURE_TEST_CASE(
  input_wakes_only_a_delivery_that_discards_it, delivery_fixture<support::by_edges>)
{
  support::ends tcp = support::narrow_tcp_ends();
  support::fill(tcp.near.get());
  delivery_probe job;
  submit(job, tcp.near, close_mode::deliver(long_enough));
  engine.run_once(milliseconds(0));
  run_until_quiet(*this);
  support::send_text(tcp.far, "input");
  BOOST_TEST(support::wait_input(tcp.near, 5));
  BOOST_TEST(!has_edge(engine, 0));
  engine.overtake(job, close_mode::immediate());
  BOOST_TEST(has_edge(engine, 0));
  engine.run_once(milliseconds(0));
  BOOST_TEST(job.reports() == 1);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  an_engine_without_jobs_has_no_deadline_and_waits, Way, ways, delivery_fixture<Way>)
{
  using clock = delivery_engine::clock;
  BOOST_TEST(this->engine.idle());
  BOOST_TEST((this->engine.next_deadline() == clock::time_point::max()));
  const auto begin = clock::now();
  this->engine.run_once(milliseconds(20));
  BOOST_TEST((clock::now() - begin >= milliseconds(20)));

  // The owner's own wake-up ends the wait, and is consumed.
  const std::uint64_t one = 1;
  for (int i = 0; i < 2; ++i)
  {
    BOOST_TEST(::write(this->wake.get(), &one, sizeof(one)) == 8);
    this->engine.run_once(seconds(60));
    std::uint64_t count = 0;
    BOOST_TEST(::read(this->wake.get(), &count, sizeof(count)) == -1);
  }
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  looks_become_rarer_while_nothing_happens, Way, ways, delivery_fixture<Way>)
{
  using clock = delivery_engine::clock;
  support::ends tcp = support::narrow_tcp_ends();
  support::fill(tcp.near.get());
  delivery_probe job;
  this->submit(job, tcp.near, close_mode::deliver(long_enough));
  this->engine.run_once(milliseconds(0));
  const auto first = this->engine.next_deadline();
  if (Way::way == interlock::detail::watching::never)
    BOOST_TEST((first <= clock::now() + delivery_engine::shortest_period));
  BOOST_TEST(this->run_until([&]
    { return this->engine.next_deadline() > clock::now() + delivery_engine::longest_period / 2; }));
  BOOST_TEST((this->engine.next_deadline() <= clock::now() + delivery_engine::longest_period));
  this->engine.overtake(job, close_mode::immediate());
  this->engine.run_once(milliseconds(0));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_job_from_any_thread_is_reported_on_one, Way, ways)
{
  const support::no_trace none;
  delivery_thread runner(Way::way);
  std::deque<delivery_probe> jobs(200);
  std::deque<support::ends> connections(jobs.size());
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t)
    threads.emplace_back(
      [&, t]
      {
        for (std::size_t i = t; i < jobs.size(); i += 4)
        {
          connections[i] = i % 3 ? support::tcp_ends() : support::unix_ends();
          support::send_text(connections[i].far, "input");
          support::send_text(connections[i].near, "output");
          runner.engine.submit(
            jobs[i], connections[i].near.get(), close_mode::graceful(long_enough));
          taken got;
          got.take_all(connections[i].far);
          connections[i].far.reset();
        }
      });
  for (std::thread& t : threads)
    t.join();
  for (const delivery_probe& j : jobs)
    BOOST_TEST_REQUIRE(j.wait_delivered());
  for (const delivery_probe& j : jobs)
    BOOST_TEST((j.reports() == 1 && j.outcome() == close_outcome::peer_closed
      && j.report().discarded == 5 && j.thread() == runner.id()));
}

// Whoever comes first, there is one report, and it is one of the two.
BOOST_AUTO_TEST_CASE_TEMPLATE(demands_from_other_threads_race_with_the_end, Way, ways)
{
  const support::no_trace none;
  delivery_thread runner(Way::way);
  for (int i = 0; i < 300; ++i)
  {
    support::ends local = support::unix_ends();
    support::send_text(local.near, "output");
    delivery_probe job;
    runner.engine.submit(job, local.near.get(), close_mode::graceful(long_enough));
    std::thread other([&] { runner.engine.overtake(job, close_mode::abort()); });
    std::thread another([&] { runner.engine.overtake(job, close_mode::immediate()); });
    taken got;
    if (i % 2)
      got.take(local.far);
    local.far.reset();
    other.join();
    another.join();
    BOOST_TEST_REQUIRE(job.wait_delivered());
    BOOST_TEST_REQUIRE(job.reports() == 1);
    BOOST_TEST_REQUIRE((job.outcome() != close_outcome::timed_out));
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_thousand_jobs_go_on_at_once, Way, ways)
{
  const support::no_trace none;
  const many_descriptors enough;
  constexpr std::size_t count = 1000;
  {
    delivery_thread runner(Way::way);
    std::deque<delivery_probe> jobs(count);
    std::vector<support::ends> connections;
    for (std::size_t i = 0; i < count; ++i)
      connections.push_back(i % 2 ? support::narrow_tcp_ends() : support::unix_ends());
    std::size_t sent = 0;
    for (const support::ends& c : connections)
      sent += support::fill(c.near.get());
    for (std::size_t i = 0; i < count; ++i)
      runner.engine.submit(jobs[i], connections[i].near.get(), close_mode::deliver(long_enough));
    std::vector<taken> got(count);
    std::size_t ended = 0;
    BOOST_TEST(support::wait_until(
      [&]
      {
        ended = 0;
        for (std::size_t i = 0; i < count; ++i)
        {
          got[i].take(connections[i].far);
          ended += got[i].ended;
        }
        return ended == count;
      }));
    std::size_t arrived = 0;
    for (std::size_t i = 0; i < count; ++i)
    {
      BOOST_TEST_REQUIRE(jobs[i].wait_delivered());
      BOOST_TEST_REQUIRE(jobs[i].outcome() == close_outcome::acknowledged);
      arrived += got[i].bytes;
    }
    BOOST_TEST(arrived == sent);
  }
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_round_is_short_and_what_is_left_is_due_at_once, Way, ways, delivery_fixture<Way>)
{
  using clock = delivery_engine::clock;
  constexpr std::size_t count = 2 * delivery_engine::turns + 1;
  const support::ends pipe = support::pipe_ends();
  std::deque<delivery_probe> jobs(count);
  for (delivery_probe& j : jobs)
    this->submit(j, pipe.near, close_mode::deliver(long_enough));
  const auto reported = [&]
  {
    std::size_t sum = 0;
    for (const delivery_probe& j : jobs)
      sum += static_cast<std::size_t>(j.reports());
    return sum;
  };
  for (std::size_t round = 1; round <= 2; ++round)
  {
    BOOST_TEST((this->engine.next_deadline() <= clock::now()));
    this->engine.run_once(seconds(60));
    BOOST_TEST(reported() == round * delivery_engine::turns);
  }
  this->engine.run_once(seconds(60));
  BOOST_TEST(reported() == count);
  BOOST_TEST((this->engine.next_deadline() == clock::time_point::max()));
}

BOOST_FIXTURE_TEST_CASE(
  deadlines_that_fall_together_are_spread_over_rounds, delivery_fixture<support::by_polling>)
{
  constexpr std::size_t count = delivery_engine::turns + 1;
  std::deque<delivery_probe> jobs(count);
  std::vector<support::ends> connections;
  const auto since = delivery_engine::clock::now();
  for (delivery_probe& j : jobs)
  {
    connections.push_back(support::unix_ends());
    support::send_text(connections.back().near, "unread");
    engine.submit(j, connections.back().near.get(), close_mode::deliver(milliseconds(100)), since);
  }
  std::size_t reported = 0;
  for (delivery_probe& j : jobs)
    j.on_delivered = [&reported] { ++reported; };
  BOOST_TEST(run_until([&] { return reported != 0; }));
  BOOST_TEST(reported == delivery_engine::turns);
  BOOST_TEST((engine.next_deadline() <= delivery_engine::clock::now()));
  engine.run_once(seconds(60));
  BOOST_TEST(reported == count);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_stop_ends_all_jobs_and_refuses_more, Way, ways)
{
  const support::no_trace none;
  delivery_thread runner(Way::way);
  std::deque<delivery_probe> jobs(50);
  std::vector<support::ends> connections;
  for (delivery_probe& j : jobs)
  {
    connections.push_back(support::narrow_tcp_ends());
    support::fill(connections.back().near.get());
    BOOST_TEST(
      runner.engine.submit(j, connections.back().near.get(), close_mode::graceful(long_enough)));
  }
  runner.stop();
  for (const delivery_probe& j : jobs)
    BOOST_TEST(
      (j.reports() == 1 && j.outcome() == close_outcome::closed && j.report().unacknowledged != 0));
  delivery_probe late;
  BOOST_TEST(!runner.engine.submit(late, connections[0].near.get(), close_mode::immediate()));
  BOOST_TEST(late.reports() == 0);
}

BOOST_FIXTURE_TEST_CASE(
  an_abort_that_was_demanded_is_one_in_spite_of_a_stop, delivery_fixture<support::by_edges>)
{
  support::ends tcp = support::narrow_tcp_ends();
  support::fill(tcp.near.get());
  delivery_probe job;
  submit(job, tcp.near, close_mode::deliver(long_enough));
  engine.run_once(milliseconds(0));
  engine.overtake(job, close_mode::abort());
  engine.stop();
  engine.run_once(milliseconds(0));
  BOOST_TEST(job.outcome() == close_outcome::aborted);
}

BOOST_FIXTURE_TEST_CASE(without_a_descriptor_for_the_set_it_polls_and_has_the_set_when_there_is_one,
  delivery_fixture<support::by_edges>)
{
  support::ends first = support::narrow_tcp_ends();
  support::ends second = support::narrow_tcp_ends();
  for (const support::ends* e : {&first, &second})
    support::fill(e->near.get());
  delivery_probe job;
  {
    const support::no_more_descriptors none;
    submit(job, first.near, close_mode::deliver(long_enough));
    taken got;
    BOOST_TEST(run_until_delivered(job, [&] { got.take(first.far); }));
    BOOST_TEST(job.outcome() == close_outcome::acknowledged);
    BOOST_TEST(engine.fd() < 0);
    submit(job, second.near, close_mode::deliver(long_enough));
    engine.run_once(milliseconds(0));
    BOOST_TEST(engine.fd() < 0);
  }
  BOOST_TEST(run_until([&] { return engine.fd() >= 0; }));
  taken got;
  BOOST_TEST(run_until([&] { return job.reports() == 2; }, [&] { got.take(second.far); }));
  BOOST_TEST(job.outcome() == close_outcome::acknowledged);
}

BOOST_AUTO_TEST_CASE(a_job_is_small)
{
  BOOST_TEST_MESSAGE("a delivery takes " << sizeof(interlock::detail::delivery_job) << " bytes");
  BOOST_TEST(sizeof(interlock::detail::delivery_job) <= 176u);
}

BOOST_AUTO_TEST_SUITE_END()
