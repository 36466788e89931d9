// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A descriptor that goes to another owner: to the caller, or with everything outstanding on it to another
// tenure.

#include <interlock/detail/tenure/tenure_base.hpp>

#include <thread>
#include <utility>

#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "support/descriptors.hpp"
#include "support/probe_job.hpp"
#include "support/tenure_fixture.hpp"

using boost::system::error_code;
using interlock::detail::duty;
using interlock::detail::handler_count;
using interlock::detail::phase;
using support::fake_close_waiter;
using support::fake_tenure;

BOOST_FIXTURE_TEST_SUITE(test_tenure_give_out, support::tenure_fixture)

BOOST_AUTO_TEST_CASE(a_descriptor_that_no_thread_uses_is_given_out_open)
{
  int given = -1;
  BOOST_TEST((tenure->give_out(given) == duty::detach));
  const support::fd owned(given);
  BOOST_TEST(given == opened);
  BOOST_TEST(support::is_fd_open(given));
  BOOST_TEST(!support::hung_up(far));
  BOOST_TEST(record.detaches == 1);
  BOOST_TEST(is(phase::ended));
  BOOST_TEST((tenure->enter() == duty::refuse));
}

BOOST_AUTO_TEST_CASE(a_descriptor_in_use_is_not_given_out)
{
  int given = -1;
  BOOST_TEST((tenure->enter() == duty::none));
  BOOST_TEST((tenure->give_out(given) == duty::busy));
  BOOST_TEST(given == -1);
  BOOST_TEST(record.detaches == 0);
  BOOST_TEST(is(phase::open));
  tenure->leave();
  BOOST_TEST((tenure->give_out(given) == duty::detach));
  const support::fd owned(given);
  BOOST_TEST(given == opened);
}

BOOST_AUTO_TEST_CASE(a_descriptor_that_is_being_closed_is_not_given_out)
{
  int given = -1;
  fake_close_waiter c;
  handler_count step = begin_close(c);
  BOOST_TEST((tenure->give_out(given) == duty::refuse));
  make_step(std::move(step));
  BOOST_TEST((tenure->give_out(given) == duty::refuse));
  BOOST_TEST(wait_posted());
  record.steps.make();
  BOOST_TEST((tenure->give_out(given) == duty::refuse));
  BOOST_TEST(given == -1);
  BOOST_TEST(c.completions() == 1);
}

BOOST_AUTO_TEST_CASE(a_joiner_after_a_descriptor_was_given_out_gets_success)
{
  int given = -1;
  BOOST_TEST((tenure->enter_with_handler() == duty::none));
  tenure->leave();
  BOOST_TEST((tenure->give_out(given) == duty::detach));
  const support::fd owned(given);
  BOOST_TEST(is(phase::closed));
  fake_close_waiter c;
  BOOST_TEST(join_close(c));
  tenure->handler_done();
  BOOST_TEST(wait_posted());
  record.steps.make();
  BOOST_TEST(c.completions() == 1);
  BOOST_TEST(c.code() == error_code());
}

BOOST_AUTO_TEST_CASE(a_close_after_a_descriptor_was_given_out_does_not_touch_it)
{
  int given = -1;
  BOOST_TEST((tenure->give_out(given) == duty::detach));
  const support::fd owned(given);
  tenure->demand_detach();
  destroy_object();
  BOOST_TEST(support::is_fd_open(given));
  BOOST_TEST(record.detaches == 1);
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

/// An object of which the descriptor, and what is outstanding on it, goes to another.
struct two_objects : support::tenure_fixture
{
  support::tenure_record successor_record;
  fake_tenure* successor = new fake_tenure(shared, successor_record);

  two_objects()
  {
    BOOST_TEST_REQUIRE(shared->add(*successor));
  }

  ~two_objects()
  {
    destroy_object();
    destroy_successor();
    BOOST_TEST(support::wait_until([this] { return successor_record.frees == 1; }));
  }

  void destroy_successor()
  {
    fake_tenure* s = std::exchange(successor, nullptr);
    if (!s)
      return;
    s->demand_detach();
    s->disown();
  }

  /// The successor has the descriptor afterwards.
  void hand_over()
  {
    BOOST_TEST_REQUIRE((tenure->give_out_to(*successor) == duty::detach));
    successor->put(tenure->fd());
    tenure->gave_out();
    successor->publish();
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_tenure_give_out_to, two_objects)

BOOST_AUTO_TEST_CASE(a_successor_ends_only_after_the_handlers_of_its_predecessor)
{
  BOOST_TEST((tenure->enter_with_handler() == duty::none));
  tenure->leave();
  hand_over();
  BOOST_TEST(is(phase::closed));
  BOOST_TEST((successor->current_phase() == phase::open));
  successor->demand_detach();
  BOOST_TEST(closes());
  BOOST_TEST(support::wait_until([this] { return successor->current_phase() == phase::closed; }));
  tenure->handler_done();
  BOOST_TEST(is(phase::ended));
  BOOST_TEST((successor->current_phase() == phase::ended));
  BOOST_TEST(successor_record.detaches == 1);
}

BOOST_AUTO_TEST_CASE(without_handlers_the_predecessor_ends_at_once)
{
  hand_over();
  BOOST_TEST(is(phase::ended));
  BOOST_TEST((successor->current_phase() == phase::open));
  successor->demand_detach();
  BOOST_TEST(support::wait_until([this] { return successor->current_phase() == phase::ended; }));
  BOOST_TEST(closes());
}

BOOST_AUTO_TEST_CASE(a_descriptor_in_use_does_not_go_to_a_successor)
{
  BOOST_TEST((tenure->enter() == duty::none));
  BOOST_TEST((tenure->give_out_to(*successor) == duty::busy));
  tenure->leave();
  tenure->demand_detach();
  BOOST_TEST((tenure->give_out_to(*successor) == duty::refuse));
  // Nothing has been counted there: it can be used by another opener.
  BOOST_TEST(successor->recycle());
}

// Both objects are gone by the time the handler is.
BOOST_AUTO_TEST_CASE(a_handler_of_the_predecessor_keeps_the_successor)
{
  BOOST_TEST((tenure->enter_with_handler() == duty::none));
  tenure->leave();
  hand_over();
  fake_tenure* predecessor = tenure;
  destroy_object();
  destroy_successor();
  BOOST_TEST(closes());
  BOOST_TEST(record.frees == 0);
  BOOST_TEST(successor_record.frees == 0);
  predecessor->handler_done();
  BOOST_TEST(support::wait_until([this] { return successor_record.frees == 1; }));
  BOOST_TEST(record.frees == 1);
}

// The successor could not be opened after all, and goes before the handler does.
BOOST_AUTO_TEST_CASE(a_successor_that_was_never_opened_is_kept_until_the_handler_has_gone)
{
  BOOST_TEST((tenure->enter_with_handler() == duty::none));
  tenure->leave();
  BOOST_TEST((tenure->give_out_to(*successor) == duty::detach));
  const support::fd owned(tenure->fd());
  tenure->gave_out();
  BOOST_TEST(!successor->recycle());
  destroy_successor();
  BOOST_TEST(successor_record.frees == 0);
  tenure->handler_done();
  BOOST_TEST(successor_record.frees == 1);
  BOOST_TEST(successor_record.detaches == 0);
}

BOOST_AUTO_TEST_SUITE_END()
