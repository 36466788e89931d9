// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Waiting for readiness: what ends a wait, and what does not.

#include <interlock/detail/descriptor/waiting.hpp>

#include <cerrno>

#include <poll.h>
#include <signal.h>

#include <boost/test/unit_test.hpp>

#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/interrupting_signal.hpp"
#include "support/system_errors.hpp"
#include "support/wait_entry.hpp"
#include "support/watched_thread.hpp"

using boost::system::error_code;
using interlock::detail::blocked_thread;
using support::entry;
using support::guarded_list;
using support::system_error;
using support::watched_thread;

namespace {

struct fixture
{
  support::ends pipe = support::pipe_ends();
  guarded_list waiting;
  error_code ec = system_error(ENOTRECOVERABLE);

  void feed()
  {
    support::send_text(pipe.far, "x");
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_waiting, fixture)

BOOST_AUTO_TEST_CASE(a_descriptor_that_is_ready_is_not_waited_for)
{
  feed();
  BOOST_TEST(blocked_thread(waiting.events).wait(pipe.near.get(), POLLIN, ec));
  BOOST_TEST(ec == error_code());
  ec = system_error(ENOTRECOVERABLE);
  BOOST_TEST(blocked_thread(waiting.events).wait(pipe.far.get(), POLLOUT, ec));
  BOOST_TEST(ec == error_code());
}

BOOST_AUTO_TEST_CASE(a_hang_up_and_a_bad_descriptor_end_a_wait)
{
  pipe.far.reset();
  BOOST_TEST(blocked_thread(waiting.events).wait(pipe.near.get(), POLLIN, ec));
  BOOST_TEST(ec == error_code());
  BOOST_TEST(blocked_thread(waiting.events).wait(support::bad_fd, POLLIN, ec));
  BOOST_TEST(ec == error_code());
}

BOOST_AUTO_TEST_CASE(a_wait_lasts_until_the_descriptor_is_ready)
{
  bool ready = false;
  watched_thread t([&] { ready = entry(waiting).wait(pipe.near.get(), ec); });
  BOOST_TEST(t.falls_asleep());
  feed();
  t.join();
  BOOST_TEST(ready);
  BOOST_TEST(ec == error_code());
}

BOOST_AUTO_TEST_CASE(a_wait_is_ended_by_a_wake_up_from_another_thread)
{
  bool ready = true;
  watched_thread t([&] { ready = entry(waiting).wait(pipe.near.get(), ec); });
  BOOST_TEST(t.falls_asleep());
  waiting.wake_all();
  t.join();
  BOOST_TEST(!ready);
  BOOST_TEST(ec == error_code());
}

BOOST_AUTO_TEST_CASE(a_wake_up_before_the_wait_is_not_lost)
{
  entry e(waiting);
  waiting.wake_all();
  BOOST_TEST(!e.wait(pipe.near.get(), ec));
  BOOST_TEST(ec == error_code());
}

BOOST_AUTO_TEST_CASE(a_descriptor_that_is_ready_counts_more_than_a_wake_up)
{
  entry e(waiting);
  feed();
  waiting.wake_all();
  BOOST_TEST(e.wait(pipe.near.get(), ec));
  BOOST_TEST(ec == error_code());
}

// Several wake-ups, none of which has been waited for, and then a wait with the same descriptor.
BOOST_AUTO_TEST_CASE(a_wake_up_is_not_left_over_to_the_next_wait)
{
  bool ready = false;
  watched_thread t(
    [&]
    {
      {
        const entry past(waiting);
        waiting.wake_all();
        waiting.wake_all();
      }
      ready = entry(waiting).wait(pipe.near.get(), ec);
    });
  BOOST_TEST(t.falls_asleep());
  feed();
  t.join();
  BOOST_TEST(ready);
  BOOST_TEST(ec == error_code());
}

// The thread in the middle of the list leaves first.
BOOST_AUTO_TEST_CASE(all_threads_still_in_the_list_are_woken)
{
  support::ends other = support::pipe_ends();
  error_code errors[3];
  bool ready[3] = {true, false, true};
  const auto wait = [&](int i, const support::fd& n)
  { return [&, i] { ready[i] = entry(waiting).wait(n.get(), errors[i]); }; };
  watched_thread one(wait(0, pipe.near));
  BOOST_TEST(one.falls_asleep());
  watched_thread two(wait(1, other.near));
  BOOST_TEST(two.falls_asleep());
  watched_thread three(wait(2, pipe.near));
  BOOST_TEST(three.falls_asleep());
  support::send_text(other.far, "x");
  two.join();
  BOOST_TEST(ready[1]);
  waiting.wake_all();
  one.join();
  three.join();
  BOOST_TEST(!ready[0]);
  BOOST_TEST(!ready[2]);
  for (const error_code& e : errors)
    BOOST_TEST(e == error_code());
}

BOOST_AUTO_TEST_CASE(a_signal_ends_a_wait)
{
  const support::interrupting_signal signal;
  bool ready = true;
  watched_thread t([&] { ready = entry(waiting).wait(pipe.near.get(), ec); });
  BOOST_TEST(t.falls_asleep());
  t.interrupt(SIGUSR1);
  t.join();
  BOOST_TEST(!ready);
  BOOST_TEST(ec == system_error(EINTR));
}

BOOST_AUTO_TEST_SUITE_END()
