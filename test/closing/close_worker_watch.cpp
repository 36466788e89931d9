// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Jobs that the worker watches: they expire in their order, never early, and not at all once they
// have been submitted.

#include <interlock/detail/closing/close_worker.hpp>

#include <atomic>
#include <cerrno>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/probe_job.hpp"
#include "support/worker_fixture.hpp"

using interlock::detail::close_job;
using interlock::detail::close_worker;
using support::probe_job;

BOOST_FIXTURE_TEST_SUITE(test_close_worker_watch, support::worker_fixture)

BOOST_AUTO_TEST_CASE(a_watched_job_expires_on_the_worker_and_not_early)
{
  close_job::clock::time_point when;
  probe_job job;
  job.on_expired = [&] { when = close_job::clock::now(); };
  const auto begin = close_job::clock::now();
  worker->watch(job);
  BOOST_TEST(job.wait_expired());
  BOOST_TEST((when - begin >= interlock::detail::worker_options().watch_time));
  BOOST_TEST((job.thread() != std::this_thread::get_id()));
  BOOST_TEST(job.closes() == 0);
}

BOOST_AUTO_TEST_CASE(watched_jobs_expire_in_the_order_in_which_they_came)
{
  probe_job jobs[3];
  std::vector<int> order;
  for (int i = 0; i < 3; ++i)
  {
    jobs[i].on_expired = [&order, i] { order.push_back(i); };
    worker->watch(jobs[i]);
  }
  BOOST_TEST(jobs[2].wait_expired());
  const std::vector<int> as_they_came{0, 1, 2};
  BOOST_TEST(order == as_they_came, boost::test_tools::per_element());
}

// The second watch is the later one: when it expires, the first would have done so.
BOOST_AUTO_TEST_CASE(a_job_that_is_submitted_is_watched_no_more)
{
  support::ends pipe = support::pipe_ends();
  probe_job job;
  probe_job later;
  worker->watch(job);
  worker->watch(later);
  worker->submit(job, support::plain(pipe.near.release()));
  BOOST_TEST(later.wait_expired());
  BOOST_TEST(job.closes() == 1);
  BOOST_TEST(job.expiries() == 0);
}

BOOST_AUTO_TEST_CASE(a_job_that_has_been_submitted_is_not_watched)
{
  support::ends pipe = support::pipe_ends();
  probe_job job;
  probe_job queued;
  probe_job later;
  {
    support::worker_hold hold(*worker);
    worker->submit(queued, support::plain(support::bad_fd));
    worker->watch(queued);
  }
  worker->submit(job, support::plain(pipe.near.release()));
  BOOST_TEST(job.wait_closed());
  worker->watch(job);
  worker->watch(later);
  BOOST_TEST(later.wait_expired());
  BOOST_TEST(job.expiries() == 0);
  BOOST_TEST(queued.expiries() == 0);
}

BOOST_AUTO_TEST_CASE(a_job_that_is_watched_is_not_watched_twice)
{
  probe_job job;
  probe_job later;
  worker->watch(job);
  worker->watch(job);
  worker->watch(later);
  BOOST_TEST(later.wait_expired());
  BOOST_TEST(job.expiries() == 1);
}

BOOST_AUTO_TEST_CASE(a_job_can_be_submitted_when_it_expires)
{
  support::ends pipe = support::pipe_ends();
  probe_job job;
  job.on_expired = [&] { worker->submit(job, support::plain(pipe.near.release())); };
  worker->watch(job);
  BOOST_TEST(job.wait_closed());
  BOOST_TEST(job.expiries() == 1);
  BOOST_TEST(support::hung_up(pipe.far));
}

BOOST_AUTO_TEST_CASE(a_closed_job_can_be_watched_again_and_again)
{
  close_job::clock::time_point last;
  probe_job job;
  const auto again = [&]
  {
    last = close_job::clock::now();
    if (job.retries() < 2)
      worker->retry_later(job);
  };
  job.on_closed = again;
  job.on_retry = again;
  const auto begin = close_job::clock::now();
  worker->submit(job, support::plain(support::bad_fd));
  BOOST_TEST(job.wait_retried(3));
  BOOST_TEST(job.expiries() == 0);
  BOOST_TEST((last - begin >= 3 * interlock::detail::worker_options().watch_time));
  BOOST_TEST(job.closes() == 1);
  BOOST_TEST(job.close_error() == EBADF);
}

// After stop another thread may close it meanwhile.
BOOST_AUTO_TEST_CASE(a_job_is_held_while_it_is_called_to_expire)
{
  probe_job job;
  std::atomic<int> holds{0};
  job.on_expired = [&] { holds = job.holds(); };
  worker->watch(job);
  BOOST_TEST(job.wait_expired());
  BOOST_TEST(holds == 1);
  BOOST_TEST(support::wait_until([&] { return job.holds() == 0; }));
}

BOOST_AUTO_TEST_SUITE_END()
