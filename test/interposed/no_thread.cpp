// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Where no thread can be had, as pthread_create(3) says here when told to: descriptors are closed by
// the caller that gives them, and the next caller asks for a thread again.

#define BOOST_TEST_MODULE no_thread
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cerrno>
#include <thread>

#include <dlfcn.h>
#include <pthread.h>

#include <interlock/detail/closing/close_worker.hpp>

#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/lingering_socket.hpp"
#include "support/probe_job.hpp"
#include "support/tenure_fixture.hpp"
#include "support/worker_fixture.hpp"

namespace {

using start_routine = void* (*)(void*);
using create_function = int (*)(pthread_t*, const pthread_attr_t*, start_routine, void*);

std::atomic<bool> refusing{false};
std::atomic<int> refusals{0};

/// While it lives, there is no thread to be had.
struct no_thread
{
  no_thread()
  {
    refusals = 0;
    refusing = true;
  }

  ~no_thread()
  {
    refusing = false;
  }
};

} // namespace

// A sanitizer's own comes first, since it has to know of every thread.
extern "C" __attribute__((weak)) int __interceptor_pthread_create(
  pthread_t*, const pthread_attr_t*, start_routine, void*);

extern "C" __attribute__((visibility("default"))) int pthread_create(
  pthread_t* thread, const pthread_attr_t* attributes, start_routine start, void* argument) noexcept
{
  if (refusing)
  {
    ++refusals;
    return EAGAIN;
  }
  if (__interceptor_pthread_create)
    return __interceptor_pthread_create(thread, attributes, start, argument);
  static const auto next = reinterpret_cast<create_function>(::dlsym(RTLD_NEXT, "pthread_create"));
  return next(thread, attributes, start, argument);
}

using interlock::detail::duty;
using interlock::detail::handler_count;
using interlock::detail::phase;
using support::fake_close_waiter;
using support::probe_job;

BOOST_FIXTURE_TEST_SUITE(test_no_thread, support::worker_fixture)

BOOST_AUTO_TEST_CASE(a_descriptor_is_closed_in_the_callers_thread_without_linger)
{
  support::lingering_socket socket;
  probe_job job;
  {
    const no_thread refused;
    worker->submit(job, support::unasked(socket.release()));
    BOOST_TEST(refusals == 1);
  }
  BOOST_TEST(job.closes() == 1);
  BOOST_TEST((job.thread() == std::this_thread::get_id()));
  BOOST_TEST(job.close_error() == 0);
  BOOST_TEST(!socket.lingers());
}

BOOST_AUTO_TEST_CASE(every_job_asks_for_the_thread_again_until_there_is_one)
{
  probe_job jobs[4];
  {
    const no_thread refused;
    for (int i = 0; i < 3; ++i)
    {
      worker->submit(jobs[i], support::unasked(support::bad_fd));
      BOOST_TEST(jobs[i].closes() == 1);
      BOOST_TEST(jobs[i].close_error() == EBADF);
      BOOST_TEST(refusals == i + 1);
    }
  }
  worker->submit(jobs[3], support::unasked(support::bad_fd));
  BOOST_TEST(jobs[3].wait_closed());
  BOOST_TEST((jobs[3].thread() != std::this_thread::get_id()));
}

// Of descriptors whose close(2) cannot block: any other wants a thread of the elastic lane.
BOOST_AUTO_TEST_CASE(a_thread_that_is_there_is_not_asked_for_again)
{
  support::ends pair = support::tcp_ends();
  probe_job before_job;
  probe_job job;
  worker->submit(before_job, support::unasked(pair.near.release()));
  const no_thread refused;
  worker->submit(job, support::unasked(pair.far.release()));
  BOOST_TEST(job.wait_closed());
  BOOST_TEST((job.thread() != std::this_thread::get_id()));
  BOOST_TEST(refusals == 0);
}

BOOST_AUTO_TEST_CASE(nothing_is_watched)
{
  probe_job job;
  const no_thread refused;
  worker->watch(job);
  BOOST_TEST(job.expiries() == 1);
  worker->submit(job, support::unasked(support::bad_fd));
  worker->retry_later(job);
  BOOST_TEST(job.renunciations() == 1);
  BOOST_TEST(job.closes() == 1);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(test_tenure_without_a_thread, support::tenure_fixture)

BOOST_AUTO_TEST_CASE(a_close_is_over_when_the_last_inside_has_left)
{
  BOOST_TEST((tenure->enter() == duty::none));
  const no_thread refused;
  tenure->demand_detach();
  BOOST_TEST(is(phase::due));
  tenure->leave();
  BOOST_TEST(is(phase::ended));
  BOOST_TEST(support::hung_up(far));
}

BOOST_AUTO_TEST_CASE(the_object_and_the_tenure_may_go_in_one_call)
{
  const no_thread refused;
  destroy_object();
  BOOST_TEST(record.frees == 1);
  BOOST_TEST(support::hung_up(far));
}

BOOST_AUTO_TEST_CASE(the_detach_of_a_close_that_cannot_be_watched_is_demanded_at_once)
{
  fake_close_waiter c;
  handler_count step = begin_close(c);
  {
    const no_thread refused;
    tenure->demand_detach_later();
    BOOST_TEST(record.detaches == 1);
    BOOST_TEST(support::hung_up(far));
  }
  make_step(std::move(step));
  BOOST_TEST(record.steps.size() == 1u);
  record.steps.make();
  BOOST_TEST(c.completions() == 1);
}

// No memory to post with, and no thread to try it again later: nothing is left that could.
BOOST_AUTO_TEST_CASE(closers_that_can_neither_be_posted_nor_watched_are_destroyed)
{
  fake_close_waiter c;
  record.steps.set(support::step_queue::mode::fail);
  handler_count step = begin_close(c);
  const no_thread refused;
  make_step(std::move(step));
  BOOST_TEST(c.completions() == 0);
  BOOST_TEST(c.destructions() == 1);
  BOOST_TEST((c.thread() == std::this_thread::get_id()));
  BOOST_TEST(is(phase::ended));
  destroy_object();
  BOOST_TEST(record.frees == 1);
}

BOOST_AUTO_TEST_SUITE_END()
