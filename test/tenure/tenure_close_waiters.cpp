// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// How a close reaches the callers that wait for it: when the last handler has gone and the descriptor is
// closed, with the errno of close(2), and in spite of steps that cannot be posted or are dropped.

#include <interlock/detail/tenure/tenure_base.hpp>

#include <cerrno>
#include <stdexcept>
#include <thread>
#include <utility>

#include <boost/test/unit_test.hpp>

#include "support/descriptors.hpp"
#include "support/probe_job.hpp"
#include "support/system_errors.hpp"
#include "support/tenure_fixture.hpp"

using boost::system::error_code;
using interlock::detail::close_verdict;
using interlock::detail::duty;
using interlock::detail::hand_over;
using interlock::detail::handler_count;
using interlock::detail::phase;
using support::elsewhere;
using support::fake_close_waiter;
using support::system_error;
using mode = support::step_queue::mode;

namespace {

struct fixture : support::tenure_fixture
{
  fake_close_waiter first;
  fake_close_waiter second;

  /// A close on its way to the worker.
  void close()
  {
    make_step(begin_close(first));
  }

  /// Whatever close(2) says of a descriptor that was never open.
  void put_bad_fd()
  {
    tenure->demand_detach();
    BOOST_TEST(becomes(phase::ended));
    BOOST_TEST_REQUIRE(recycles());
    tenure->put(support::bad_fd);
    tenure->publish();
  }

  bool posts(int times) const
  {
    return support::wait_until([this, times] { return record.steps.posts() >= times; });
  }

  bool ends(const fake_close_waiter& c) const
  {
    return support::wait_until([&c] { return c.ends() != 0; });
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_tenure_close_waiters, fixture)

BOOST_AUTO_TEST_CASE(a_closer_is_served_on_the_strand_after_the_descriptor_is_closed)
{
  close();
  BOOST_TEST(wait_posted());
  BOOST_TEST(!support::is_fd_open(opened));
  BOOST_TEST(first.ends() == 0);
  const std::thread::id strand = elsewhere([this] { record.steps.make(); });
  BOOST_TEST(first.completions() == 1);
  BOOST_TEST((first.thread() == strand));
  BOOST_TEST((first.how() == hand_over::dispatch));
  BOOST_TEST(first.code() == error_code());
}

BOOST_AUTO_TEST_CASE(all_closers_get_the_errno_of_the_one_close)
{
  put_bad_fd();
  handler_count step = begin_close(first);
  BOOST_TEST(join_close(second));
  make_step(std::move(step));
  BOOST_TEST(wait_posted());
  record.steps.make();
  for (const fake_close_waiter* c : {&first, &second})
  {
    BOOST_TEST(c->completions() == 1);
    BOOST_TEST(c->code() == system_error(EBADF));
    BOOST_TEST((c->how() == hand_over::post));
  }
}

BOOST_AUTO_TEST_CASE(a_closer_may_join_until_the_last_handler_has_gone)
{
  BOOST_TEST((tenure->enter_with_handler() == duty::none));
  tenure->leave();
  close();
  BOOST_TEST(becomes(phase::closed));
  BOOST_TEST(join_close(second));
  const std::thread::id last = elsewhere([this] { tenure->handler_done(); });
  BOOST_TEST((last != std::this_thread::get_id()));
  BOOST_TEST(record.steps.size() == 1u);
  record.steps.make();
  BOOST_TEST(first.completions() == 1);
  BOOST_TEST(second.completions() == 1);
}

BOOST_AUTO_TEST_CASE(a_closer_that_comes_after_the_end_is_told_the_outcome)
{
  put_bad_fd();
  close();
  BOOST_TEST(wait_posted());
  BOOST_TEST(!join_close(second));
  close_verdict v;
  BOOST_TEST(tenure->outcome(v));
  BOOST_TEST(v.ec == system_error(EBADF));
  record.steps.make();
  BOOST_TEST(!join_close(second));
  v = close_verdict();
  BOOST_TEST(tenure->outcome(v));
  BOOST_TEST(v.ec == system_error(EBADF));
  BOOST_TEST(first.completions() == 1);
  BOOST_TEST(second.ends() == 0);
}

// A closer that joins is told the same, and keeps the tenure meanwhile.
BOOST_AUTO_TEST_CASE(a_look_at_the_outcome_keeps_the_tenure)
{
  tenure->demand_detach();
  BOOST_TEST(becomes(phase::ended));
  BOOST_TEST((support::start_close(*tenure) == duty::join));
  support::fake_tenure* t = tenure;
  destroy_object();
  BOOST_TEST(record.frees == 0);
  close_verdict v{system_error(EBADF), {}};
  BOOST_TEST(t->outcome(v));
  BOOST_TEST(v.ec == error_code());
  t->leave();
  BOOST_TEST(support::wait_until([this] { return record.frees == 1; }));
}

BOOST_AUTO_TEST_CASE(the_step_keeps_the_tenure_when_the_object_has_gone)
{
  close();
  BOOST_TEST(wait_posted());
  destroy_object();
  BOOST_TEST(record.frees == 0);
  record.steps.make();
  BOOST_TEST(first.completions() == 1);
  BOOST_TEST(support::wait_until([this] { return record.frees == 1; }));
}

// By then the tenure has no holder: what the closer throws leaves nothing undone.
BOOST_AUTO_TEST_CASE(what_a_closer_throws_is_passed_on_by_the_step)
{
  close();
  BOOST_TEST(wait_posted());
  destroy_object();
  int frees_by_then = 0;
  first.on_complete = [&]
  {
    support::wait_until([this] { return record.frees == 1; });
    frees_by_then = record.frees;
    throw std::runtime_error("from the handler");
  };
  BOOST_CHECK_THROW(record.steps.make(), std::runtime_error);
  BOOST_TEST(first.completions() == 1);
  BOOST_TEST(frees_by_then == 1);
}

BOOST_AUTO_TEST_CASE(a_step_may_be_made_before_posting_it_has_returned)
{
  record.steps.set(mode::make);
  close();
  BOOST_TEST(ends(first));
  BOOST_TEST(first.completions() == 1);
  BOOST_TEST(record.steps.posts() == 1);
}

BOOST_AUTO_TEST_CASE(a_step_that_cannot_be_posted_is_posted_again_by_the_worker)
{
  record.steps.set(mode::fail);
  close();
  BOOST_TEST(posts(1));
  destroy_object();
  BOOST_TEST(first.ends() == 0);
  BOOST_TEST(record.frees == 0);
  record.steps.set(mode::keep);
  BOOST_TEST(wait_posted());
  BOOST_TEST(record.steps.posts() == 2);
  record.steps.make();
  BOOST_TEST(first.completions() == 1);
}

BOOST_AUTO_TEST_CASE(a_step_is_posted_again_as_long_as_it_takes)
{
  record.steps.set(mode::fail);
  close();
  BOOST_TEST(posts(3));
  BOOST_TEST(first.ends() == 0);
  record.steps.set(mode::keep);
  BOOST_TEST(wait_posted());
  record.steps.make();
  BOOST_TEST(first.completions() == 1);
}

// An executor may have taken the step by the time it fails: that is no dropped step.
BOOST_AUTO_TEST_CASE(a_step_that_was_moved_before_posting_failed_is_posted_again)
{
  record.steps.set(mode::drop_and_fail);
  close();
  BOOST_TEST(posts(1));
  BOOST_TEST(first.ends() == 0);
  record.steps.set(mode::keep);
  BOOST_TEST(wait_posted());
  record.steps.make();
  BOOST_TEST(first.completions() == 1);
}

BOOST_AUTO_TEST_CASE(a_handler_that_goes_last_may_fail_to_post_as_well)
{
  BOOST_TEST((tenure->enter_with_handler() == duty::none));
  tenure->leave();
  close();
  BOOST_TEST(becomes(phase::closed));
  record.steps.set(mode::fail);
  tenure->handler_done();
  BOOST_TEST(record.steps.posts() == 1);
  record.steps.set(mode::keep);
  BOOST_TEST(wait_posted());
  record.steps.make();
  BOOST_TEST(first.completions() == 1);
}

BOOST_AUTO_TEST_CASE(a_step_that_is_dropped_ends_the_closers_uninvoked_where_it_is_dropped)
{
  close();
  BOOST_TEST(wait_posted());
  destroy_object();
  const std::thread::id dropper = elsewhere([this] { record.steps.drop(); });
  BOOST_TEST(first.completions() == 0);
  BOOST_TEST(first.destructions() == 1);
  BOOST_TEST((first.thread() == dropper));
  BOOST_TEST(support::wait_until([this] { return record.frees == 1; }));
}

BOOST_AUTO_TEST_CASE(a_step_that_is_dropped_before_posting_it_has_returned_ends_the_closers)
{
  record.steps.set(mode::drop);
  close();
  BOOST_TEST(ends(first));
  BOOST_TEST(first.completions() == 0);
  BOOST_TEST(first.destructions() == 1);
  BOOST_TEST(record.steps.posts() == 1);
}

BOOST_AUTO_TEST_SUITE_END()
