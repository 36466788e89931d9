// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The end of the worker, and what it does where it cannot begin: every descriptor is closed all the
// same, without waiting for anything.

#include <interlock/detail/closing/close_worker.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/lingering_socket.hpp"
#include "support/probe_job.hpp"
#include "support/standing_pipe.hpp"
#include "support/wait_until.hpp"
#include "support/worker_fixture.hpp"

using interlock::detail::close_worker;
using support::lingering_socket;
using support::probe_job;
using support::standing_pipe;

namespace {

struct fixture : support::worker_fixture
{
  ~fixture()
  {
    worker->stop(support::patience);
  }

  /// Whether the worker takes no more jobs: one that is given to it is closed at once.
  bool is_stopped()
  {
    probes.emplace_back();
    worker->submit(probes.back(), support::plain(support::bad_fd));
    return probes.back().closes() != 0 && probes.back().thread() == std::this_thread::get_id();
  }

private:
  std::deque<probe_job> probes;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_close_worker_stop, fixture)

BOOST_AUTO_TEST_CASE(a_worker_can_be_stopped_twice_and_without_having_begun)
{
  worker->stop(support::patience);
  worker->stop(support::patience);
  BOOST_TEST(is_stopped());
}

// The worker is held, so that the job is still queued when the worker is told to stop.
BOOST_AUTO_TEST_CASE(what_is_posted_to_a_worker_that_is_held_up_is_done_by_the_stopping_thread)
{
  lingering_socket socket;
  probe_job job;
  probe_job watched;
  support::worker_hold hold(*worker);
  BOOST_TEST_REQUIRE(hold.held());
  worker->submit(job, support::unasked(socket.release()));
  worker->watch(watched);
  BOOST_TEST(socket.lingers());
  worker->stop(std::chrono::milliseconds(1));
  BOOST_TEST(job.closes() == 1);
  BOOST_TEST((job.thread() == std::this_thread::get_id()));
  BOOST_TEST(!socket.lingers());
  BOOST_TEST(watched.expiries() == 1);
  BOOST_TEST(is_stopped());
}

BOOST_AUTO_TEST_CASE(a_worker_in_a_hurry_closes_without_linger_and_goes_on)
{
  lingering_socket queued;
  lingering_socket later;
  probe_job jobs[2];
  {
    support::worker_hold hold(*worker);
    BOOST_TEST_REQUIRE(hold.held());
    worker->submit(jobs[0], support::unasked(queued.release()));
    worker->hurry();
    BOOST_TEST(queued.lingers());
  }
  worker->submit(jobs[1], support::unasked(later.release()));
  for (const probe_job& j : jobs)
  {
    BOOST_TEST(j.wait_closed());
    BOOST_TEST((j.thread() != std::this_thread::get_id()));
  }
  BOOST_TEST(!queued.lingers());
  BOOST_TEST(!later.lingers());
}

BOOST_AUTO_TEST_CASE(what_is_watched_expires_when_the_worker_stops)
{
  probe_job first;
  probe_job second;
  {
    support::worker_hold hold(*worker);
    worker->watch(first);
    worker->watch(second);
  }
  worker->stop(support::patience);
  BOOST_TEST(first.expiries() == 1);
  BOOST_TEST(second.expiries() == 1);
}

// The worker itself may be left behind too, within so short a time; it does the rest all the same.
BOOST_AUTO_TEST_CASE(a_close_that_blocks_is_left_behind_and_delays_no_other)
{
  const standing_pipe stuck(*worker);
  lingering_socket socket;
  probe_job queued;
  probe_job watched;
  worker->submit(queued, support::unasked(socket.release()));
  worker->watch(watched);
  worker->stop(std::chrono::milliseconds(1));
  BOOST_TEST(stuck.job.closes() == 0);
  BOOST_TEST(queued.wait_closed());
  BOOST_TEST(!socket.lingers());
  BOOST_TEST(watched.wait_expired());
}

BOOST_AUTO_TEST_CASE(a_thread_that_was_left_behind_is_not_waited_for_again)
{
  const standing_pipe stuck(*worker);
  worker->stop(std::chrono::milliseconds(1));
  worker->stop(std::chrono::hours(1));
  BOOST_TEST(stuck.job.closes() == 0);
}

BOOST_AUTO_TEST_CASE(a_worker_lives_as_long_as_a_close_that_was_left_behind)
{
  support::observed_worker owned;
  {
    const standing_pipe stuck(*owned.worker);
    owned.worker->stop(std::chrono::milliseconds(0));
    owned.worker.reset();
    BOOST_TEST(!owned.life.expired());
  }
  BOOST_TEST(support::wait_until([&] { return owned.life.expired(); }));
}

BOOST_AUTO_TEST_CASE(a_stopped_worker_closes_in_the_callers_thread_without_linger)
{
  worker->stop(support::patience);
  lingering_socket socket;
  probe_job job;
  worker->submit(job, support::unasked(socket.release()));
  BOOST_TEST(job.closes() == 1);
  BOOST_TEST((job.thread() == std::this_thread::get_id()));
  BOOST_TEST(job.close_error() == 0);
  BOOST_TEST(!socket.lingers());
}

BOOST_AUTO_TEST_CASE(for_a_stopped_worker_everything_is_overdue)
{
  probe_job job;
  probe_job closed;
  worker->submit(closed, support::plain(support::bad_fd));
  BOOST_TEST(closed.wait_closed());
  worker->stop(support::patience);
  worker->watch(job);
  BOOST_TEST(job.expiries() == 1);
  worker->retry_later(closed);
  BOOST_TEST(closed.renunciations() == 1);
  worker->stop(support::patience);
  BOOST_TEST(job.expiries() == 1);
  BOOST_TEST(closed.retries() == 0);
}

BOOST_AUTO_TEST_CASE(descriptors_that_come_while_the_worker_stops_are_each_closed_once)
{
  std::deque<probe_job> jobs(200);
  std::atomic<std::size_t> submitted{0};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 2; ++t)
    threads.emplace_back(
      [&, t]
      {
        for (std::size_t i = t; i < jobs.size(); i += 2, ++submitted)
          worker->submit(jobs[i], support::plain(support::pipe_ends().near.release()));
      });
  BOOST_TEST(support::wait_until([&] { return submitted > jobs.size() / 4; }));
  worker->stop(support::patience);
  for (std::thread& t : threads)
    t.join();
  for (const probe_job& j : jobs)
    BOOST_TEST((j.closes() == 1 && j.close_error() == 0));
}

BOOST_AUTO_TEST_CASE(without_a_descriptor_for_itself_it_closes_in_the_callers_thread)
{
  lingering_socket socket;
  probe_job job;
  probe_job watched;
  {
    const support::no_more_descriptors none;
    worker->watch(watched);
    worker->submit(job, support::unasked(socket.release()));
    BOOST_TEST(job.closes() == 1);
  }
  BOOST_TEST((job.thread() == std::this_thread::get_id()));
  BOOST_TEST(job.close_error() == 0);
  BOOST_TEST(!socket.lingers());
  BOOST_TEST(watched.expiries() == 1);
}

BOOST_AUTO_TEST_CASE(a_worker_that_could_not_begin_does_so_with_the_next_job)
{
  support::ends pipe = support::pipe_ends();
  probe_job job;
  probe_job next;
  {
    const support::no_more_descriptors none;
    worker->submit(job, support::plain(support::bad_fd));
    BOOST_TEST((job.thread() == std::this_thread::get_id()));
  }
  worker->submit(next, support::plain(pipe.near.release()));
  BOOST_TEST(next.wait_closed());
  BOOST_TEST((next.thread() != std::this_thread::get_id()));
  BOOST_TEST(support::hung_up(pipe.far));
}

BOOST_AUTO_TEST_SUITE_END()
