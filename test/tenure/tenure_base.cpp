// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Detach, close and end of a tenure, in every order of the threads inside, of the strand's step,
// of the object, of the handlers and of the worker.

#include <interlock/detail/tenure/tenure_base.hpp>

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "support/descriptors.hpp"
#include "support/probe_job.hpp"
#include "support/tenure_fixture.hpp"

using interlock::detail::duty;
using interlock::detail::handler_count;
using interlock::detail::phase;
using support::elsewhere;
using support::fake_close_waiter;

BOOST_FIXTURE_TEST_SUITE(test_tenure_base, support::tenure_fixture)

BOOST_AUTO_TEST_CASE(a_close_with_no_thread_inside_detaches_in_the_closers_thread)
{
  const std::thread::id close_waiter = elsewhere([this] { tenure->demand_detach(); });
  BOOST_TEST(record.detaches == 1);
  BOOST_TEST((record.detacher == close_waiter));
  BOOST_TEST(closes());
  BOOST_TEST(becomes(phase::ended));
}

BOOST_AUTO_TEST_CASE(a_descriptor_in_use_is_detached_by_the_last_to_leave_in_its_thread)
{
  BOOST_TEST((tenure->enter() == duty::none));
  BOOST_TEST((tenure->enter() == duty::none));
  tenure->demand_detach();
  BOOST_TEST(is(phase::due));
  tenure->leave();
  BOOST_TEST(record.detaches == 0);
  BOOST_TEST(support::is_fd_open(tenure->fd()));
  const std::thread::id leaver = elsewhere([this] { tenure->leave(); });
  BOOST_TEST(record.detaches == 1);
  BOOST_TEST((record.detacher == leaver));
  BOOST_TEST(closes());
}

BOOST_AUTO_TEST_CASE(no_thread_enters_what_is_closing)
{
  fake_close_waiter c;
  BOOST_TEST((tenure->enter() == duty::none));
  handler_count step = begin_close(c);
  BOOST_TEST((tenure->enter() == duty::refuse));
  BOOST_TEST((tenure->enter_with_handler() == duty::refuse));
  make_step(std::move(step));
  BOOST_TEST(is(phase::due));
  BOOST_TEST((tenure->enter() == duty::refuse));
  tenure->leave();
  BOOST_TEST((tenure->enter() == duty::refuse));
  BOOST_TEST(wait_posted());
  BOOST_TEST((tenure->enter_with_handler() == duty::refuse));
  record.steps.make();
  BOOST_TEST(c.completions() == 1);
}

BOOST_AUTO_TEST_CASE(the_step_of_a_close_detaches_when_no_thread_is_inside)
{
  fake_close_waiter c;
  BOOST_TEST((tenure->enter() == duty::none));
  handler_count step = begin_close(c);
  tenure->leave();
  BOOST_TEST(is(phase::closing));
  BOOST_TEST(record.detaches == 0);
  const std::thread::id strand = elsewhere([&] { make_step(std::move(step)); });
  BOOST_TEST(record.detaches == 1);
  BOOST_TEST((record.detacher == strand));
  BOOST_TEST(wait_posted());
  record.steps.make();
  BOOST_TEST(c.completions() == 1);
}

BOOST_AUTO_TEST_CASE(the_step_of_a_close_leaves_the_detach_to_the_last_inside)
{
  fake_close_waiter c;
  BOOST_TEST((tenure->enter() == duty::none));
  elsewhere([step = begin_close(c)]() mutable { make_step(std::move(step)); });
  BOOST_TEST(record.detaches == 0);
  const std::thread::id leaver = elsewhere([this] { tenure->leave(); });
  BOOST_TEST(record.detaches == 1);
  BOOST_TEST((record.detacher == leaver));
  BOOST_TEST(wait_posted());
  record.steps.make();
  BOOST_TEST(c.completions() == 1);
}

BOOST_AUTO_TEST_CASE(the_step_of_a_close_finds_nothing_to_do_when_the_object_has_gone)
{
  fake_close_waiter c;
  handler_count step = begin_close(c);
  destroy_object();
  BOOST_TEST(record.detaches == 1);
  BOOST_TEST(closes());
  BOOST_TEST(record.steps.size() == 0u);
  make_step(std::move(step));
  BOOST_TEST(wait_posted());
  BOOST_TEST(record.detaches == 1);
  record.steps.make();
  BOOST_TEST(c.completions() == 1);
}

BOOST_AUTO_TEST_CASE(however_many_close_it_is_detached_once)
{
  BOOST_TEST((tenure->enter() == duty::none));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([this] { tenure->demand_detach(); });
  for (std::thread& t : threads)
    t.join();
  BOOST_TEST(record.detaches == 0);
  tenure->leave();
  tenure->demand_detach();
  BOOST_TEST(record.detaches == 1);
}

BOOST_AUTO_TEST_CASE(a_step_that_never_comes_is_made_up_for_by_the_worker)
{
  fake_close_waiter c;
  handler_count step = begin_close(c);
  tenure->demand_detach_later();
  BOOST_TEST(support::wait_until([this] { return record.detaches == 1; }));
  BOOST_TEST((record.detacher != std::this_thread::get_id()));
  BOOST_TEST(closes());
  make_step(std::move(step));
  BOOST_TEST(wait_posted());
  record.steps.make();
  BOOST_TEST(c.completions() == 1);
  BOOST_TEST(record.detaches == 1);
}

BOOST_AUTO_TEST_CASE(a_step_that_was_dropped_is_made_up_for_by_the_worker)
{
  fake_close_waiter c;
  {
    const handler_count step = begin_close(c);
    tenure->demand_detach_later();
  }
  BOOST_TEST(wait_posted());
  BOOST_TEST((record.detacher != std::this_thread::get_id()));
  record.steps.make();
  BOOST_TEST(c.completions() == 1);
}

// Only while the strand's step is due: later, a thread that is inside cannot be hurried.
BOOST_AUTO_TEST_CASE(the_worker_does_not_watch_what_has_been_demanded)
{
  fake_close_waiter c;
  BOOST_TEST((tenure->enter() == duty::none));
  make_step(begin_close(c));
  tenure->demand_detach_later();
  support::probe_job later;
  shared->worker().watch(later);
  BOOST_TEST(later.wait_expired());
  BOOST_TEST(record.detaches == 0);
  tenure->leave();
  BOOST_TEST((record.detacher == std::this_thread::get_id()));
  BOOST_TEST(wait_posted());
  record.steps.make();
  BOOST_TEST(c.completions() == 1);
}

BOOST_AUTO_TEST_CASE(without_a_worker_to_watch_the_detach_is_demanded_at_once)
{
  fake_close_waiter c;
  handler_count step = begin_close(c);
  {
    const support::no_more_descriptors none;
    tenure->demand_detach_later();
  }
  BOOST_TEST(record.detaches == 1);
  BOOST_TEST((record.detacher == std::this_thread::get_id()));
  make_step(std::move(step));
  BOOST_TEST(wait_posted());
  record.steps.make();
  BOOST_TEST(c.completions() == 1);
}

BOOST_AUTO_TEST_CASE(handlers_outlive_the_object_and_keep_the_tenure)
{
  BOOST_TEST((tenure->enter_with_handler() == duty::none));
  BOOST_TEST((tenure->enter_with_handler() == duty::none));
  tenure->leave();
  tenure->leave();
  support::fake_tenure* t = tenure;
  destroy_object();
  BOOST_TEST(closes());
  BOOST_TEST(support::wait_until([t] { return t->current_phase() == phase::closed; }));
  t->handler_done();
  BOOST_TEST(record.frees == 0);
  t->handler_done();
  BOOST_TEST(record.frees == 1);
}

BOOST_AUTO_TEST_CASE(a_worker_that_reports_late_finds_the_handlers_gone)
{
  support::worker_hold hold(shared->worker());
  BOOST_TEST((tenure->enter_with_handler() == duty::none));
  tenure->demand_detach();
  tenure->leave();
  tenure->handler_done();
  BOOST_TEST(is(phase::detached));
  BOOST_TEST(support::is_fd_open(opened));
  destroy_object();
  BOOST_TEST(record.frees == 0);
  hold.go_on();
  BOOST_TEST(support::wait_until([this] { return record.frees == 1; }));
  BOOST_TEST(closes());
}

BOOST_AUTO_TEST_CASE(a_thread_inside_outlives_the_object_and_keeps_the_descriptor)
{
  support::fake_tenure* t = tenure;
  BOOST_TEST((t->enter() == duty::none));
  destroy_object();
  BOOST_TEST(record.detaches == 0);
  BOOST_TEST(support::is_fd_open(t->fd()));
  t->leave();
  BOOST_TEST(record.detaches == 1);
  BOOST_TEST(closes());
}

BOOST_AUTO_TEST_CASE(a_tenure_that_has_ended_stays_with_its_object)
{
  tenure->demand_detach();
  BOOST_TEST(becomes(phase::ended));
  BOOST_TEST(record.frees == 0);
  BOOST_TEST(record.context_drops == 0);
  destroy_object();
  BOOST_TEST(support::wait_until([this] { return record.frees == 1; }));
}

// Each thread goes in and out, with a handler every other time, until it is refused.
BOOST_AUTO_TEST_CASE(threads_that_come_and_go_are_all_out_before_the_detach)
{
  std::atomic<int> entries{0};
  std::atomic<bool> touched_late{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back(
      [&]
      {
        bool with_handler = false;
        while ((with_handler ? tenure->enter_with_handler() : tenure->enter()) == duty::none)
        {
          ++entries;
          if (record.detaches != 0 || !support::is_fd_open(tenure->fd()))
            touched_late = true;
          tenure->leave();
          if (with_handler)
            tenure->handler_done();
          with_handler = !with_handler;
        }
      });
  BOOST_TEST(support::wait_until([&] { return entries > 300; }));
  tenure->demand_detach();
  for (std::thread& t : threads)
    t.join();
  BOOST_TEST(!touched_late);
  BOOST_TEST(becomes(phase::ended));
  BOOST_TEST(record.detaches == 1);
}

BOOST_AUTO_TEST_SUITE_END()
