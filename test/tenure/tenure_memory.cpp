// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A tenure that is used again, and memory that is kept beyond the tenure.

#include <interlock/detail/tenure/guards.hpp>
#include <interlock/detail/tenure/tenure_base.hpp>

#include <cerrno>
#include <cstdint>
#include <utility>

#include <boost/test/unit_test.hpp>

#include "support/descriptors.hpp"
#include "support/tenure_fixture.hpp"

using boost::system::error_code;
using interlock::detail::duty;
using interlock::detail::handler_count;
using interlock::detail::leave_guard;
using interlock::detail::phase;
using support::fake_close_waiter;
using support::fake_tenure;

namespace {

struct fixture : support::tenure_fixture
{
  void end()
  {
    tenure->demand_detach();
    BOOST_TEST(becomes(phase::ended));
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_tenure_memory, fixture)

BOOST_AUTO_TEST_CASE(a_tenure_is_not_used_again_before_it_has_ended)
{
  BOOST_TEST(!tenure->recycle());
  BOOST_TEST(is(phase::open));
  BOOST_TEST((tenure->enter_with_handler() == duty::none));
  tenure->demand_detach();
  BOOST_TEST(!tenure->recycle());
  tenure->leave();
  BOOST_TEST(becomes(phase::closed));
  BOOST_TEST(!tenure->recycle());
  BOOST_TEST(is(phase::closed));
  tenure->handler_done();
  BOOST_TEST(is(phase::ended));
  BOOST_TEST(recycles());
  BOOST_TEST(is(phase::vacant));
}

BOOST_AUTO_TEST_CASE(a_tenure_is_not_used_again_while_its_outcome_is_looked_at)
{
  end();
  BOOST_TEST((support::start_close(*tenure) == duty::join));
  BOOST_TEST(!tenure->recycle());
  BOOST_TEST(is(phase::ended));
  tenure->leave();
  BOOST_TEST(recycles());
}

BOOST_AUTO_TEST_CASE(a_tenure_is_not_used_again_while_its_closers_are_to_be_served)
{
  fake_close_waiter c;
  make_step(begin_close(c));
  BOOST_TEST(wait_posted());
  BOOST_TEST(is(phase::ended));
  BOOST_TEST(!tenure->recycle());
  record.steps.make();
  BOOST_TEST(c.completions() == 1);
  BOOST_TEST(recycles());
}

BOOST_AUTO_TEST_CASE(every_use_of_a_tenure_has_its_own_generation)
{
  const std::uint32_t first = tenure->generation();
  end();
  BOOST_TEST(tenure->generation() == first);
  BOOST_TEST(recycles());
  BOOST_TEST(tenure->generation() == first + 1);
  BOOST_TEST(tenure->fd() == -1);
  open();
  BOOST_TEST(tenure->generation() == first + 1);
  BOOST_TEST(tenure->fd() == opened);
  end();
  BOOST_TEST(recycles());
  BOOST_TEST(tenure->generation() == first + 2);
}

BOOST_AUTO_TEST_CASE(a_tenure_that_is_used_again_is_closed_again)
{
  tenure->demand_detach();
  BOOST_TEST(closes());
  BOOST_TEST(becomes(phase::ended));
  BOOST_TEST(recycles());
  open();
  BOOST_TEST(is(phase::open));
  fake_close_waiter c;
  BOOST_TEST((tenure->enter() == duty::none));
  make_step(begin_close(c));
  BOOST_TEST(record.detaches == 1);
  tenure->leave();
  BOOST_TEST(record.detaches == 2);
  BOOST_TEST(closes());
  BOOST_TEST(wait_posted());
  record.steps.make();
  BOOST_TEST(c.completions() == 1);
}

BOOST_AUTO_TEST_CASE(the_outcome_of_an_earlier_use_is_forgotten)
{
  end();
  BOOST_TEST(recycles());
  tenure->put(support::bad_fd);
  tenure->publish();
  end();
  BOOST_TEST(tenure->close_error() == EBADF);
  BOOST_TEST(recycles());
  BOOST_TEST(tenure->close_error() == 0);
  open();
  fake_close_waiter c;
  make_step(begin_close(c));
  BOOST_TEST(wait_posted());
  record.steps.make();
  BOOST_TEST(c.code() == error_code());
}

BOOST_AUTO_TEST_CASE(a_vacant_tenure_cannot_be_entered_or_closed)
{
  end();
  BOOST_TEST(recycles());
  BOOST_TEST((tenure->enter() == duty::refuse));
  BOOST_TEST((tenure->enter_with_handler() == duty::refuse));
  BOOST_TEST((support::start_close(*tenure) == duty::refuse));
  tenure->demand_detach();
  BOOST_TEST(is(phase::vacant));
  BOOST_TEST(record.detaches == 1);
}

BOOST_AUTO_TEST_CASE(memory_is_kept_beyond_the_tenure_and_no_thread_enters_it)
{
  fake_tenure* t = tenure;
  t->keep_memory();
  t->keep_memory();
  destroy_object();
  BOOST_TEST(closes());
  BOOST_TEST(support::wait_until([this] { return record.context_drops == 1; }));
  BOOST_TEST(record.frees == 0);
  BOOST_TEST((t->enter() == duty::refuse));
  BOOST_TEST((t->enter_with_handler() == duty::refuse));
  t->drop_memory();
  BOOST_TEST((t->enter() == duty::refuse));
  t->drop_memory();
  BOOST_TEST(support::wait_until([this] { return record.frees == 1; }));
}

BOOST_AUTO_TEST_CASE(memory_that_has_no_keeper_any_more_does_not_end_the_tenure)
{
  tenure->keep_memory();
  tenure->drop_memory();
  BOOST_TEST(record.frees == 0);
  BOOST_TEST((tenure->enter() == duty::none));
  tenure->leave();
}

// A context that goes finds the memory, but no tenure in it.
BOOST_AUTO_TEST_CASE(a_shutdown_does_not_come_to_memory_that_is_only_kept)
{
  fake_tenure* t = tenure;
  t->keep_memory();
  destroy_object();
  BOOST_TEST(support::wait_until([this] { return record.context_drops == 1; }));
  shared->shut_down(support::patience);
  BOOST_TEST(record.context_drops == 1);
  t->drop_memory();
  BOOST_TEST(record.frees == 1);
}

BOOST_AUTO_TEST_CASE(a_handler_count_is_one_handler_however_often_it_is_moved)
{
  BOOST_TEST((tenure->enter_with_handler() == duty::none));
  tenure->leave();
  tenure->demand_detach();
  BOOST_TEST(becomes(phase::closed));
  {
    handler_count one(*tenure);
    handler_count two(std::move(one));
    BOOST_TEST(!one.tenure());
    BOOST_TEST(two.tenure() == tenure);
    const handler_count three(std::move(two));
    const handler_count none;
    BOOST_TEST(!none.tenure());
    BOOST_TEST(is(phase::closed));
  }
  BOOST_TEST(is(phase::ended));
}

BOOST_AUTO_TEST_CASE(a_handler_count_that_is_dismissed_is_counted_down_elsewhere)
{
  BOOST_TEST((tenure->enter_with_handler() == duty::none));
  tenure->leave();
  tenure->demand_detach();
  BOOST_TEST(becomes(phase::closed));
  {
    handler_count t(*tenure);
    t.dismiss();
    BOOST_TEST(!t.tenure());
  }
  BOOST_TEST(is(phase::closed));
  tenure->handler_done();
  BOOST_TEST(is(phase::ended));
}

BOOST_AUTO_TEST_CASE(a_guard_leaves_at_the_end_of_its_scope)
{
  BOOST_TEST((tenure->enter() == duty::none));
  {
    const leave_guard leaves(*tenure);
    tenure->demand_detach();
    BOOST_TEST(is(phase::due));
  }
  BOOST_TEST(record.detaches == 1);
}

BOOST_AUTO_TEST_SUITE_END()
