// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The worker around fork(2): what it is with is whole when the fork comes, and a child goes on with
// the rest, whatever the threads were doing that it does not have.

#include <interlock/detail/closing/close_worker.hpp>

#include <array>
#include <atomic>

#include <boost/test/unit_test.hpp>

#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/in_child.hpp"
#include "support/probe_job.hpp"
#include "support/watched_thread.hpp"
#include "support/worker_fixture.hpp"

using interlock::close_mode;
using interlock::close_outcome;
using interlock::detail::close_plan;
using interlock::detail::close_plan_pointer;
using interlock::detail::close_worker;
using support::probe_job;

namespace {

struct forking : support::worker_fixture
{
  ::pid_t child = -1;

  /// Forks; `check` says in the child, which adopts the jobs, whether all is well there.
  template <class Jobs, class Check>
  void fork_to(Jobs&& jobs, Check check)
  {
    worker->park();
    child = support::fork_to(
      [&]
      {
        worker->adopt_after_fork();
        for (probe_job& job : jobs)
          worker->adopt(job);
        worker->restart_after_fork();
        return check();
      });
    worker->resume();
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_close_worker_fork, forking, *boost::unit_test::label("forks"))

BOOST_AUTO_TEST_CASE(what_was_in_close2_at_the_fork_is_reported_as_it_was_in_both)
{
  for (const bool has_plan : {true, false})
  {
    probe_job jobs[1];
    probe_job& job = jobs[0];
    const auto mode = close_mode::immediate();
    if (has_plan)
      worker->demand(job, mode, close_plan_pointer(new close_plan(mode)));
    support::ends pipe = support::pipe_ends();
    support::close_watch watch(pipe.near.get());
    watch.shut_gate();
    worker->submit(job, support::plain(pipe.near.release()));
    BOOST_TEST(watch.wait_arrived());
    const auto closed = [&]
    { return job.wait_closed() && job.report().outcome == close_outcome::closed; };
    fork_to(jobs, closed);
    BOOST_TEST(support::was_well(child));
    watch.open_gate();
    BOOST_TEST(closed());
  }
}

// The condition variable on which threads await a close counts threads that the child does not have.
BOOST_AUTO_TEST_CASE(a_thread_that_awaits_a_close_at_the_fork_does_not_hang_the_child)
{
  std::atomic<bool> over{false};
  support::watched_thread awaiting(
    [&]
    {
      while (!over)
        worker->progress().await([&] { return over.load(); });
    });
  BOOST_TEST(awaiting.comes_to_wait());
  fork_to(std::array<probe_job, 0>(),
    [&]
    {
      bool well = true;
      for (int i = 0; i != 20; ++i)
      {
        probe_job job;
        worker->submit(job, support::plain(support::pipe_ends().near.release()));
        worker->progress().await([&] { return job.closes() == 1; });
        well = well && job.wait_closed();
      }
      return well;
    });
  over = true;
  worker->progress().note();
  awaiting.join();
  BOOST_TEST(support::was_well(child));
}

BOOST_AUTO_TEST_SUITE_END()
