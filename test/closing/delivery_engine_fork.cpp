// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The engine around fork(2): the child gives up what the parent goes on with, and neither disturbs the
// other.
//
// A child checks for itself, and its exit status says what it found. Not under ThreadSanitizer, which
// keeps account of threads that do not exist in a child.

#if !defined(__SANITIZE_THREAD__)

#include <interlock/detail/closing/delivery_engine.hpp>

#include <chrono>

#include <sys/eventfd.h>

#include <boost/test/unit_test.hpp>

#include "support/delivery_probe.hpp"
#include "support/delivery_thread.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/in_child.hpp"
#include "support/tcp_facts.hpp"

using interlock::close_mode;
using interlock::close_outcome;
using std::chrono::milliseconds;
using support::delivery_fixture;
using support::delivery_probe;
using support::in_child;
using support::long_enough;
using support::taken;
using support::ways;

BOOST_AUTO_TEST_SUITE(test_delivery_engine_fork)

BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  a_child_gives_up_what_the_parent_goes_on_with, Way, ways, delivery_fixture<Way>)
{
  support::ends tcp = support::narrow_tcp_ends();
  support::ends posted = support::tcp_ends();
  const std::size_t sent = support::fill(tcp.near.get());
  delivery_probe job;
  delivery_probe waiting;
  this->submit(job, tcp.near, close_mode::deliver(long_enough));
  this->engine.run_once(milliseconds(0));
  this->submit(waiting, posted.near, close_mode::deliver(long_enough));

  this->engine.prepare_fork();
  const bool child_is_well = in_child(
    [&]
    {
      const int before = this->engine.fd();
      const int wake = ::eventfd(0, EFD_CLOEXEC);
      this->engine.adopt_after_fork(wake);
      const bool given_up = job.reports() == 1 && waiting.reports() == 1
        && job.outcome() == close_outcome::closed && this->engine.idle() && this->engine.fd() < 0
        && (before < 0 || ::fcntl(before, F_GETFD) < 0);
      // It works for the child from here on.
      support::ends own = support::unix_ends();
      this->submit(job, own.near, close_mode::deliver(long_enough));
      return given_up && this->run_until([&] { return job.reports() == 2; })
        && job.outcome() == close_outcome::acknowledged;
    });
  this->engine.resume_after_fork();
  BOOST_TEST(child_is_well);

  taken got;
  BOOST_TEST(this->run_until_delivered(job, [&] { got.take(tcp.far); }));
  BOOST_TEST(job.outcome() == close_outcome::acknowledged);
  BOOST_TEST(this->run_until_delivered(waiting));
  BOOST_TEST(waiting.outcome() == close_outcome::acknowledged);
  BOOST_TEST(got.take_all(tcp.far));
  BOOST_TEST(got.bytes == sent);
}

// An edge that the child had taken out of the set would never come.
BOOST_FIXTURE_TEST_CASE(
  the_edges_of_the_parent_come_after_the_child_has_gone, delivery_fixture<support::by_edges>)
{
  support::ends tcp = support::narrow_tcp_ends();
  support::fill(tcp.near.get());
  delivery_probe job;
  submit(job, tcp.near, close_mode::deliver(long_enough));
  engine.run_once(milliseconds(0));
  BOOST_TEST(run_until([&] { return !support::readable(engine.fd(), 0); }));
  engine.prepare_fork();
  BOOST_TEST(in_child(
    [&]
    {
      engine.adopt_after_fork(::eventfd(0, EFD_CLOEXEC));
      tcp.near.reset();
      return true;
    }));
  engine.resume_after_fork();
  tcp.far.reset();
  BOOST_TEST(support::readable(engine.fd(), 60000));
  engine.run_once(milliseconds(0));
  BOOST_TEST(job.outcome() == close_outcome::reset);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_fork_waits_for_the_round_of_another_thread, Way, ways)
{
  const support::no_trace none;
  support::delivery_thread runner(Way::way);
  for (int i = 0; i < 20; ++i)
  {
    support::ends local = support::unix_ends();
    delivery_probe job;
    std::atomic<bool> inside{false};
    std::atomic<bool> left{false};
    job.on_delivered = [&]
    {
      inside = true;
      support::wait_until([&, begin = std::chrono::steady_clock::now()]
        { return std::chrono::steady_clock::now() - begin > milliseconds(2); });
      left = true;
    };
    runner.engine.submit(job, local.near.get(), close_mode::deliver(long_enough));
    BOOST_TEST(support::wait_until([&] { return inside.load(); }));
    runner.engine.prepare_fork();
    BOOST_TEST(left.load());
    runner.engine.resume_after_fork();
    BOOST_TEST(job.wait_delivered());
  }
}

BOOST_AUTO_TEST_SUITE_END()

#endif // !defined(__SANITIZE_THREAD__)
