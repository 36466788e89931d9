// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The threads for what can block: how many there are, and when they end.

#include <interlock/detail/closing/close_worker.hpp>
#include <interlock/detail/closing/elastic_lane.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>

#include <boost/test/unit_test.hpp>

#include "support/census.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/probe_job.hpp"
#include "support/standing_pipe.hpp"
#include "support/wait_until.hpp"
#include "support/worker_fixture.hpp"

using interlock::detail::close_worker;
using interlock::detail::worker_options;
using support::probe_job;
using support::standing_pipe;

namespace {

struct fixture : support::worker_fixture
{
  static constexpr std::size_t most = 3;

  fixture()
    : worker_fixture(limited())
  {
  }

  static worker_options limited()
  {
    worker_options o;
    o.lane.max_threads = most;
    return o;
  }

  static std::size_t threads()
  {
    return support::threads_named("interlock-close");
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_elastic_lane, fixture)

BOOST_AUTO_TEST_CASE(each_close_that_stands_has_a_thread_up_to_the_limit)
{
  std::deque<standing_pipe> pipes(most + 1);
  for (standing_pipe& p : pipes)
    p.submit(*worker);
  for (std::size_t i = 0; i != most; ++i)
    BOOST_TEST(pipes[i].watch.wait_arrived());
  BOOST_TEST(threads() == most);
  BOOST_TEST(pipes[most].watch.arrived() == 0u);
  pipes[1].watch.open_gate();
  BOOST_TEST(pipes[most].watch.wait_arrived());
  BOOST_TEST((pipes[most].watch.close_waiter() == pipes[1].watch.close_waiter()));
  for (standing_pipe& p : pipes)
  {
    p.watch.open_gate();
    BOOST_TEST(p.job.wait_closed());
    BOOST_TEST((p.job.closes() == 1 && p.job.close_error() == 0));
  }
}

BOOST_AUTO_TEST_CASE(threads_that_have_nothing_to_do_end_and_others_come_in_their_place)
{
  for (int i = 0; i != 2; ++i)
  {
    std::deque<standing_pipe> pipes(2);
    for (standing_pipe& p : pipes)
      p.submit(*worker);
    for (standing_pipe& p : pipes)
      BOOST_TEST(p.watch.wait_arrived());
    BOOST_TEST(threads() == 2u);
    for (standing_pipe& p : pipes)
    {
      p.watch.open_gate();
      BOOST_TEST(p.job.wait_closed());
    }
    BOOST_TEST(support::wait_until([] { return threads() == 0; }));
  }
}

BOOST_AUTO_TEST_CASE(what_waits_at_the_limit_gets_threads_of_its_own_when_the_lane_stops)
{
  std::deque<standing_pipe> pipes(most);
  for (standing_pipe& p : pipes)
    p.submit(*worker);
  for (standing_pipe& p : pipes)
    BOOST_TEST(p.watch.wait_arrived());
  support::ends pipe = support::pipe_ends();
  probe_job waiting;
  worker->submit(waiting, support::unasked(pipe.near.release()));
  worker->stop(std::chrono::milliseconds(1));
  BOOST_TEST(waiting.wait_closed());
  for (standing_pipe& p : pipes)
  {
    BOOST_TEST(p.job.closes() == 0);
    p.watch.open_gate();
    BOOST_TEST(p.job.wait_closed());
  }
}

BOOST_AUTO_TEST_SUITE_END()
