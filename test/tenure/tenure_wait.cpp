// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Threads that wait inside a tenure for its descriptor: every kind of close wakes all of them, before
// the descriptor is detached.

#include <interlock/detail/tenure/blocked_call.hpp>
#include <interlock/detail/tenure/tenure_base.hpp>

#include <atomic>
#include <cerrno>
#include <deque>
#include <thread>

#include <poll.h>
#include <signal.h>

#include <boost/test/unit_test.hpp>

#include "support/descriptors.hpp"
#include "support/interrupting_signal.hpp"
#include "support/system_errors.hpp"
#include "support/tenure_fixture.hpp"
#include "support/watched_thread.hpp"

using boost::system::error_code;
using interlock::detail::blocked_call;
using interlock::detail::duty;
using interlock::detail::handler_count;
using interlock::detail::phase;
using support::fake_close_waiter;
using support::system_error;
using support::watched_thread;

namespace {

struct fixture : support::tenure_fixture
{
  /// A thread that enters, waits until there is something to read, and leaves.
  struct reader
  {
    fixture& f;
    duty entered = duty::refuse;
    bool ready = true;
    error_code ec = system_error(ENOTRECOVERABLE);
    watched_thread thread;

    explicit reader(fixture& owner)
      : f(owner),
        thread([this] { run(); })
    {
    }

    void run()
    {
      support::fake_tenure* t = f.tenure;
      entered = t->enter();
      ready = blocked_call(*t).wait(POLLIN, ec);
      t->leave();
    }

    void check_woken()
    {
      thread.join();
      BOOST_TEST((entered == duty::none));
      BOOST_TEST(!ready);
      BOOST_TEST(ec == system_error(ECANCELED));
    }
  };
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_tenure_wait, fixture)

BOOST_AUTO_TEST_CASE(a_wait_ends_when_the_descriptor_is_ready)
{
  reader r(*this);
  BOOST_TEST(r.thread.falls_asleep());
  support::send_text(far, "x");
  r.thread.join();
  BOOST_TEST(r.ready);
  BOOST_TEST(r.ec == error_code());
  BOOST_TEST(is(phase::open));
}

BOOST_AUTO_TEST_CASE(a_close_wakes_the_blocked_thread_which_detaches)
{
  reader r(*this);
  BOOST_TEST(r.thread.falls_asleep());
  tenure->demand_detach();
  r.check_woken();
  BOOST_TEST(record.detaches == 1);
  BOOST_TEST((record.detacher != std::this_thread::get_id()));
  BOOST_TEST(closes());
}

BOOST_AUTO_TEST_CASE(the_beginning_of_an_asynchronous_close_wakes_blocked_threads)
{
  fake_close_waiter c;
  reader r(*this);
  BOOST_TEST(r.thread.falls_asleep());
  handler_count step = begin_close(c);
  r.check_woken();
  BOOST_TEST(is(phase::closing));
  BOOST_TEST(record.detaches == 0);
  make_step(std::move(step));
  BOOST_TEST(wait_posted());
  record.steps.make();
  BOOST_TEST(c.completions() == 1);
}

BOOST_AUTO_TEST_CASE(the_beginning_of_a_flush_wakes_blocked_threads)
{
  fake_close_waiter c;
  begin_write();
  reader r(*this);
  BOOST_TEST(r.thread.falls_asleep());
  begin_flush(c);
  r.check_woken();
  BOOST_TEST(is(phase::flushing));
  BOOST_TEST(record.detaches == 0);
  tenure->write_done();
  BOOST_TEST(wait_posted());
  record.steps.make();
  BOOST_TEST(c.completions() == 1);
}

BOOST_AUTO_TEST_CASE(the_end_of_the_context_wakes_blocked_threads)
{
  reader r(*this);
  BOOST_TEST(r.thread.falls_asleep());
  shared->shut_down(support::patience);
  r.check_woken();
  BOOST_TEST(record.detaches == 1);
  BOOST_TEST(support::hung_up(far));
}

BOOST_AUTO_TEST_CASE(all_blocked_threads_are_woken_and_the_last_detaches)
{
  std::deque<reader> readers;
  for (int i = 0; i < 4; ++i)
  {
    readers.emplace_back(*this);
    BOOST_TEST(readers.back().thread.falls_asleep());
  }
  tenure->demand_detach();
  for (reader& r : readers)
    r.check_woken();
  BOOST_TEST(record.detaches == 1);
}

BOOST_AUTO_TEST_CASE(a_wait_that_begins_after_the_close_does_not_block)
{
  BOOST_TEST((tenure->enter() == duty::none));
  tenure->demand_detach();
  bool ready = true;
  error_code ec;
  support::elsewhere([&] { ready = blocked_call(*tenure).wait(POLLIN, ec); });
  BOOST_TEST(!ready);
  BOOST_TEST(ec == system_error(ECANCELED));
  tenure->leave();
  BOOST_TEST(record.detaches == 1);
}

// The wake-up of the one wait is not left over to the other.
BOOST_AUTO_TEST_CASE(a_thread_that_was_woken_can_wait_in_another_tenure)
{
  support::tenure_record other_record;
  auto* other = new support::fake_tenure(shared, other_record);
  support::ends pipe = support::pipe_ends();
  other->put(pipe.near.release());
  other->publish();
  std::atomic<bool> woken{false};
  bool ready[2] = {true, false};
  error_code ec[2];
  const auto wait_in = [&](support::fake_tenure& t, int i)
  {
    if (t.enter() != duty::none)
      return;
    ready[i] = blocked_call(t).wait(POLLIN, ec[i]);
    t.leave();
  };
  watched_thread thread(
    [&, first = tenure]
    {
      wait_in(*first, 0);
      woken = true;
      wait_in(*other, 1);
    });
  BOOST_TEST(thread.falls_asleep());
  tenure->demand_detach();
  BOOST_TEST(support::wait_until([&] { return woken.load(); }));
  BOOST_TEST(thread.falls_asleep());
  support::send_text(pipe.far, "x");
  thread.join();
  BOOST_TEST(!ready[0]);
  BOOST_TEST(ec[0] == system_error(ECANCELED));
  BOOST_TEST(ready[1]);
  BOOST_TEST(ec[1] == error_code());
  other->demand_detach();
  other->disown();
  BOOST_TEST(support::wait_until([&] { return other_record.frees == 1; }));
}

BOOST_AUTO_TEST_CASE(a_signal_that_does_not_restart_ends_a_wait)
{
  const support::interrupting_signal signal;
  reader r(*this);
  BOOST_TEST(r.thread.falls_asleep());
  r.thread.interrupt(SIGUSR1);
  r.thread.join();
  BOOST_TEST(!r.ready);
  BOOST_TEST(r.ec == system_error(EINTR));
  BOOST_TEST(is(phase::open));
}

// The limit falls when all that the test itself needs is open.
BOOST_AUTO_TEST_CASE(a_close_ends_a_wait_without_a_wake_up_descriptor)
{
  bool ready = true;
  error_code ec;
  BOOST_TEST((tenure->enter() == duty::none));
  std::atomic<bool> begun{false};
  watched_thread thread(
    [&]
    {
      support::wait_until([&] { return begun.load(); });
      {
        const support::no_more_descriptors none;
        ready = blocked_call(*tenure).wait(POLLIN, ec);
      }
      tenure->leave();
    });
  begun = true;
  BOOST_TEST(thread.falls_asleep());
  tenure->demand_detach();
  thread.join();
  BOOST_TEST(!ready);
  BOOST_TEST(ec == system_error(ECANCELED));
  BOOST_TEST(record.detaches == 1);
  BOOST_TEST((record.detacher != std::this_thread::get_id()));
}

// Some find the close before they wait, some are woken; none is left.
BOOST_AUTO_TEST_CASE(a_close_at_any_moment_of_a_wait_ends_it)
{
  for (int i = 0; i < 100; ++i)
  {
    std::atomic<bool> inside{false};
    error_code ec;
    std::thread t(
      [&]
      {
        if (tenure->enter() == duty::none)
        {
          inside = true;
          blocked_call(*tenure).wait(POLLIN, ec);
          tenure->leave();
        }
      });
    BOOST_TEST(support::wait_until([&] { return inside.load(); }));
    tenure->demand_detach();
    t.join();
    BOOST_TEST(ec == system_error(ECANCELED));
    BOOST_TEST_REQUIRE(becomes(phase::ended));
    BOOST_TEST_REQUIRE(recycles());
    open();
  }
}

BOOST_AUTO_TEST_SUITE_END()
