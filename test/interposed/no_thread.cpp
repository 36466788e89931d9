// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Where no thread can be had, as pthread_create(3) says here when told to: descriptors are closed by
// the caller that gives them, and the next caller asks for a thread again.

#define BOOST_TEST_MODULE no_thread
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <thread>

#include <dlfcn.h>
#include <pthread.h>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/detail/closing/close_worker.hpp>
#include <interlock/local/stream_protocol.hpp>

#include "support/allocation_hook.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/lingering_socket.hpp"
#include "support/probe_job.hpp"
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

namespace asio = boost::asio;
using boost::system::error_code;
using local = interlock::local::stream_protocol;
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

namespace {

/// Closes an object whose last handler this thread destroys, which then calls the closer's: the nth allocation of that
/// fails. What cannot be posted can be tried again by no thread. Whether it has come to that.
bool is_closed_in_vain(std::size_t nth)
{
  asio::io_context context;
  auto idle = std::make_unique<asio::io_context>();
  support::ends pair = support::unix_ends();
  local::socket s(context, local(), pair.near.release());
  char byte = 0;
  s.async_read_some(asio::buffer(&byte, 1),
    asio::bind_executor(idle->get_executor(), [](error_code, std::size_t) {}));
  const auto is_called = std::make_shared<bool>(false);
  bool has_failed = false;
  {
    const no_thread refused;
    s.async_close([is_called](error_code) { *is_called = true; });
    BOOST_TEST(
      support::hung_up(pair.far)); // no thread could take it over: it is not left to the context
    context.poll();
    BOOST_TEST(is_called.use_count() == 2);
    const support::allocation_failure failure(nth);
    idle.reset();
    has_failed = failure.struck();
  }
  BOOST_TEST((is_called.use_count() == 1) == has_failed);
  context.restart();
  context.run();
  BOOST_TEST(is_called.use_count() == 1);
  BOOST_TEST(*is_called != has_failed);
  return has_failed;
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_close_without_a_thread)

BOOST_AUTO_TEST_CASE(a_handler_that_can_be_called_neither_now_nor_later_is_destroyed)
{
  constexpr std::size_t never = 1000;
  BOOST_TEST(!is_closed_in_vain(never));
  const long before = support::live_allocations();
  std::size_t nth = 1;
  while (is_closed_in_vain(nth))
    ++nth;
  BOOST_TEST(nth > 1u);
  BOOST_TEST(support::live_allocations() == before);
}

BOOST_AUTO_TEST_SUITE_END()
