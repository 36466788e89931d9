// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What is made of each result of close(2): some errors mean that the descriptor is gone, and none is
// ever a reason to close it again.

#include <interlock/detail/descriptor/close_descriptor.hpp>

#include <cerrno>
#include <thread>
#include <utility>

#include <boost/test/unit_test.hpp>

#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/probe_job.hpp"
#include "support/system_errors.hpp"
#include "support/tenure_fixture.hpp"
#include "support/worker_fixture.hpp"

using boost::system::error_code;
using interlock::detail::close_descriptor;
using support::close_watch;
using support::fake_close_waiter;
using support::probe_job;
using support::system_error;

namespace {

/// What close_descriptor makes of `error`, and how many times it has closed.
int result_of(int error)
{
  support::ends pipe = support::pipe_ends();
  close_watch watch(pipe.near.get());
  watch.report(error);
  const int result = close_descriptor(pipe.near.release());
  BOOST_TEST(watch.closed() == 1u);
  BOOST_TEST(support::hung_up(pipe.far));
  return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_close_descriptor)

BOOST_AUTO_TEST_CASE(an_interrupted_close_has_closed_and_is_not_repeated)
{
  BOOST_TEST(result_of(EINTR) == 0);
  BOOST_TEST(result_of(EINPROGRESS) == 0);
}

BOOST_AUTO_TEST_CASE(any_other_error_is_reported_and_the_close_not_repeated)
{
  for (int error : {EIO, ENOSPC, EDQUOT, EAGAIN})
    BOOST_TEST(result_of(error) == error);
}

BOOST_FIXTURE_TEST_CASE(the_worker_passes_an_error_on_to_the_job, support::worker_fixture)
{
  support::ends pipe = support::pipe_ends();
  close_watch watch(pipe.near.get());
  watch.report(EIO);
  probe_job job;
  worker->submit(job, support::unasked(pipe.near.release()));
  BOOST_TEST(job.wait_closed());
  BOOST_TEST(job.close_error() == EIO);
  BOOST_TEST(watch.closed() == 1u);
  BOOST_TEST((watch.close_waiter() == job.thread()));
}

BOOST_FIXTURE_TEST_CASE(
  the_worker_takes_an_interrupted_close_for_a_success, support::worker_fixture)
{
  support::ends pipe = support::pipe_ends();
  close_watch watch(pipe.near.get());
  watch.report(EINTR);
  probe_job job;
  worker->submit(job, support::unasked(pipe.near.release()));
  BOOST_TEST(job.wait_closed());
  BOOST_TEST(job.close_error() == 0);
  BOOST_TEST(watch.closed() == 1u);
}

BOOST_FIXTURE_TEST_CASE(every_closer_is_told_the_error_of_the_one_close, support::tenure_fixture)
{
  close_watch watch(opened);
  watch.report(ENOSPC);
  fake_close_waiter first;
  fake_close_waiter second;
  auto step = begin_close(first);
  BOOST_TEST(join_close(second));
  make_step(std::move(step));
  BOOST_TEST(wait_posted());
  record.steps.make();
  BOOST_TEST(first.code() == system_error(ENOSPC));
  BOOST_TEST(second.code() == system_error(ENOSPC));
  BOOST_TEST(watch.closed() == 1u);
}

// The closer's thread goes on while close(2) has not returned.
BOOST_FIXTURE_TEST_CASE(no_thread_waits_for_a_close_that_takes_long, support::tenure_fixture)
{
  close_watch watch(opened);
  watch.shut_gate();
  tenure->demand_detach();
  BOOST_TEST(watch.wait_arrived());
  BOOST_TEST(is(phase::detached));
  BOOST_TEST((watch.close_waiter() != std::this_thread::get_id()));
  BOOST_TEST(watch.closed() == 0u);
  watch.open_gate();
  BOOST_TEST(closes());
  BOOST_TEST(becomes(phase::ended));
  BOOST_TEST(watch.closed() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
