// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The flush: a close that waits for the writes outstanding. What may still come in, what ends it, and
// which thread detaches then, in every order of the writes, of the threads inside and of whatever else ends a
// tenure.

#include <interlock/detail/tenure/tenure_base.hpp>
#include <interlock/detail/tenure/write_late.hpp>

#include <atomic>
#include <cstdint>
#include <thread>
#include <utility>

#include <boost/test/unit_test.hpp>

#include "support/at_once.hpp"
#include "support/descriptors.hpp"
#include "support/in_child.hpp"
#include "support/tenure_fixture.hpp"

using interlock::close_mode;
using interlock::detail::duty;
using interlock::detail::fork_event;
using interlock::detail::handler_count;
using interlock::detail::phase;
using interlock::detail::running_handler;
using interlock::detail::write_late;
using support::elsewhere;
using support::fake_close_waiter;
using support::fake_tenure;

namespace {

/// How the initiating function of a write enters.
duty enter_with_write(fake_tenure& t)
{
  const duty d = t.enter_with_write();
  return d == duty::none ? d : write_late(t, d);
}

struct fixture : support::tenure_fixture
{
  fake_close_waiter close_waiter;

  /// A flush that one write holds up.
  void begin_flush_of_one()
  {
    begin_write();
    begin_flush(close_waiter);
  }

  /// What is left to be done when the last handler has gone.
  void check_served()
  {
    BOOST_TEST(wait_posted());
    record.steps.make();
    BOOST_TEST(close_waiter.completions() == 1);
    BOOST_TEST(record.detaches == 1);
  }

  /// The last write has its end.
  void end_flush()
  {
    tenure->write_done();
    check_served();
  }

  /// A write that starts now is not let in, and is counted.
  void check_refused(duty expected = duty::refuse)
  {
    const std::uint32_t counted = tenure->refused_writes();
    BOOST_TEST((enter_with_write(*tenure) == expected));
    BOOST_TEST(tenure->refused_writes() == counted + 1);
    BOOST_TEST(tenure->flush_steps() == 0u);
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_tenure_flush, fixture)

BOOST_AUTO_TEST_CASE(without_a_write_it_is_a_close_like_any_other)
{
  BOOST_TEST((tenure->enter_with_handler() == duty::none));
  tenure->leave();
  BOOST_TEST((support::start_close(*tenure, true) == duty::none));
  {
    const handler_count step(*tenure);
    const handler_count own(*tenure);
    BOOST_TEST(tenure->add_close_waiter(close_waiter));
    tenure->leave();
    BOOST_TEST(is(phase::closing));
    tenure->demand_detach();
  }
  tenure->handler_done();
  check_served();
}

BOOST_AUTO_TEST_CASE(a_write_that_has_ended_before_the_close_is_not_waited_for)
{
  begin_write();
  tenure->write_done();
  BOOST_TEST((support::start_close(*tenure, true) == duty::none));
  const handler_count step(*tenure);
  const handler_count own(*tenure);
  BOOST_TEST(is(phase::closing));
  tenure->leave();
}

BOOST_AUTO_TEST_CASE(a_close_of_another_mode_does_not_wait_for_writes)
{
  begin_write();
  make_step(begin_close(close_waiter));
  BOOST_TEST(record.detaches == 1);
  BOOST_TEST(closes());
  tenure->write_done();
  check_served();
}

BOOST_AUTO_TEST_CASE(newcomers_are_refused_and_only_writes_are_counted)
{
  begin_flush_of_one();
  BOOST_TEST(is(phase::flushing));
  BOOST_TEST((tenure->enter() == duty::refuse));
  BOOST_TEST((tenure->enter_with_handler() == duty::refuse));
  BOOST_TEST(tenure->refused_writes() == 0u);
  check_refused();
  check_refused();
  BOOST_TEST(tenure->refused_writes() == 2u);
  BOOST_TEST(record.detaches == 0);
  end_flush();
}

BOOST_AUTO_TEST_CASE(reads_neither_end_it_nor_hold_it_up)
{
  for (int i = 0; i < 2; ++i)
  {
    BOOST_TEST((tenure->enter_with_handler() == duty::none));
    tenure->leave();
  }
  begin_flush_of_one();
  tenure->handler_done();
  BOOST_TEST(is(phase::flushing));
  BOOST_TEST(support::is_fd_open(opened));
  tenure->write_done();
  BOOST_TEST(record.detaches == 1);
  BOOST_TEST(closes());
  tenure->handler_done();
  check_served();
}

BOOST_AUTO_TEST_CASE(the_last_write_detaches_in_its_thread)
{
  begin_write();
  begin_flush_of_one();
  tenure->write_done();
  BOOST_TEST(is(phase::flushing));
  BOOST_TEST(record.detaches == 0);
  const std::thread::id last = elsewhere([this] { tenure->write_done(); });
  BOOST_TEST(record.detaches == 1);
  BOOST_TEST((record.detacher == last));
  BOOST_TEST(closes());
  check_served();
}

BOOST_AUTO_TEST_CASE(the_last_write_leaves_the_detach_to_the_thread_inside)
{
  BOOST_TEST((tenure->enter() == duty::none));
  BOOST_TEST((tenure->enter() == duty::none));
  begin_flush_of_one();
  tenure->write_done();
  BOOST_TEST(is(phase::due));
  BOOST_TEST((enter_with_write(*tenure) == duty::refuse));
  tenure->leave();
  BOOST_TEST(record.detaches == 0);
  const std::thread::id leaver = elsewhere([this] { tenure->leave(); });
  BOOST_TEST((record.detacher == leaver));
  check_served();
}

BOOST_AUTO_TEST_CASE(the_last_write_may_end_before_the_closer_has_left)
{
  begin_write();
  BOOST_TEST((support::start_close(*tenure, true) == duty::flush));
  elsewhere([this] { tenure->write_done(); });
  BOOST_TEST(is(phase::due));
  BOOST_TEST(record.detaches == 0);
  {
    const handler_count step(*tenure);
    const handler_count own(*tenure);
    BOOST_TEST(tenure->add_close_waiter(close_waiter));
    tenure->leave();
  }
  BOOST_TEST((record.detacher == std::this_thread::get_id()));
  check_served();
}

// Its initiating function has not returned when the close comes, and its handler is faster than that.
BOOST_AUTO_TEST_CASE(a_write_may_end_before_its_initiation_has_returned)
{
  BOOST_TEST((tenure->enter_with_write() == duty::none));
  begin_flush(close_waiter);
  elsewhere([this] { tenure->write_done(); });
  BOOST_TEST(is(phase::due));
  tenure->leave();
  BOOST_TEST((record.detacher == std::this_thread::get_id()));
  check_served();
}

BOOST_AUTO_TEST_CASE(the_writes_end_it_although_the_close_is_over_for_the_closer)
{
  begin_write();
  begin_flush_of_one();
  BOOST_TEST(
    (tenure->withdraw_close_waiter(nullptr, tenure->generation()).release() == &close_waiter));
  tenure->write_done();
  tenure->write_done();
  BOOST_TEST(record.detaches == 1);
  BOOST_TEST(becomes(phase::ended));
  BOOST_TEST(close_waiter.ends() == 0);
}

// --- What else ends a tenure.

BOOST_AUTO_TEST_CASE(a_close_changes_nothing_of_it)
{
  begin_flush_of_one();
  tenure->demand_close_unless_flushing();
  BOOST_TEST(is(phase::flushing));
  BOOST_TEST(record.detaches == 0);
  end_flush();
  tenure->demand_close_unless_flushing();
  BOOST_TEST(record.detaches == 1);
}

BOOST_AUTO_TEST_CASE(a_close_detaches_what_is_open_or_closing)
{
  handler_count step = begin_close(close_waiter);
  tenure->demand_close_unless_flushing();
  BOOST_TEST(record.detaches == 1);
  make_step(std::move(step));
  check_served();
  BOOST_TEST_REQUIRE(recycles());
  open();
  tenure->demand_close_unless_flushing();
  BOOST_TEST(record.detaches == 2);
}

BOOST_AUTO_TEST_CASE(the_destructor_ends_it)
{
  begin_flush_of_one();
  fake_tenure* t = tenure;
  const std::thread::id owner = elsewhere([this] { destroy_object(); });
  BOOST_TEST((record.detacher == owner));
  BOOST_TEST(closes());
  BOOST_TEST(record.frees == 0);
  t->write_done();
  check_served();
}

BOOST_AUTO_TEST_CASE(the_destructor_ends_it_while_a_thread_is_inside)
{
  BOOST_TEST((tenure->enter() == duty::none));
  begin_flush_of_one();
  fake_tenure* t = tenure;
  destroy_object();
  BOOST_TEST((t->current_phase() == phase::due));
  t->write_done();
  BOOST_TEST(record.detaches == 0);
  t->leave();
  check_served();
}

BOOST_AUTO_TEST_CASE(the_shutdown_ends_it_and_destroys_the_closers)
{
  begin_flush_of_one();
  shared->shut_down(support::patience);
  BOOST_TEST(record.detaches == 1);
  BOOST_TEST(support::hung_up(far));
  BOOST_TEST(close_waiter.destructions() == 1);
  BOOST_TEST(close_waiter.completions() == 0);
  BOOST_TEST((enter_with_write(*tenure) == duty::refuse));
  BOOST_TEST(tenure->refused_writes() == 0u);
  tenure->write_done();
}

BOOST_AUTO_TEST_CASE(a_stronger_closer_joins_and_ends_it)
{
  fake_close_waiter second;
  begin_flush_of_one();
  BOOST_TEST(join_close(second));
  BOOST_TEST(is(phase::flushing));
  tenure->demand_detach();
  BOOST_TEST(record.detaches == 1);
  BOOST_TEST(closes());
  tenure->write_done();
  check_served();
  BOOST_TEST(second.completions() == 1);
}

BOOST_AUTO_TEST_CASE(a_closer_that_delivers_joins_and_waits)
{
  fake_close_waiter second;
  begin_flush_of_one();
  BOOST_TEST((support::start_close(*tenure, true) == duty::join));
  BOOST_TEST(tenure->add_close_waiter(second));
  tenure->leave();
  BOOST_TEST(is(phase::flushing));
  end_flush();
  BOOST_TEST(second.completions() == 1);
}

BOOST_AUTO_TEST_CASE(a_close_that_was_cancelled_does_not_wait)
{
  begin_flush_of_one();
  tenure->hurry_close(tenure->generation(), close_mode::immediate());
  BOOST_TEST(record.detaches == 1);
  BOOST_TEST(closes());
  tenure->write_done();
  check_served();
}

BOOST_AUTO_TEST_CASE(a_descriptor_is_not_given_out_meanwhile)
{
  int given = -1;
  begin_flush_of_one();
  BOOST_TEST((tenure->give_out(given) == duty::refuse));
  BOOST_TEST(given == -1);
  end_flush();
}

// Handlers of the predecessor count as handlers of this tenure, but it has not written what they have.
BOOST_AUTO_TEST_CASE(writes_that_came_along_in_a_move_are_not_waited_for)
{
  support::tenure_record other_record;
  auto* other = new fake_tenure(shared, other_record);
  begin_write();
  BOOST_TEST((tenure->give_out_to(*other) == duty::detach));
  other->put(opened);
  other->publish();
  tenure->gave_out();
  BOOST_TEST((support::start_close(*other, true) == duty::none));
  {
    const handler_count step(*other);
    const handler_count own(*other);
    other->leave();
    other->demand_detach();
  }
  BOOST_TEST(other_record.detaches == 1);
  BOOST_TEST(closes());
  BOOST_TEST(support::wait_until([&] { return other->current_phase() == phase::closed; }));
  tenure->write_done();
  BOOST_TEST((other->current_phase() == phase::ended));
  other->disown();
  BOOST_TEST(support::wait_until([&] { return other_record.frees == 1; }));
}

// --- What may go on.

BOOST_AUTO_TEST_CASE(a_handler_of_a_write_starts_the_next_one)
{
  begin_flush_of_one();
  for (std::uint32_t step = 1; step <= 3; ++step)
  {
    const running_handler running(*tenure, true);
    BOOST_TEST((enter_with_write(*tenure) == duty::none));
    BOOST_TEST(tenure->flush_steps() == step);
    tenure->leave();
    tenure->write_done();
    BOOST_TEST(is(phase::flushing));
  }
  BOOST_TEST(record.detaches == 0);
  BOOST_TEST(tenure->refused_writes() == 0u);
  end_flush();
}

BOOST_AUTO_TEST_CASE(while_the_tenure_is_open_nothing_is_counted)
{
  begin_write();
  const running_handler running(*tenure, true);
  BOOST_TEST((enter_with_write(*tenure) == duty::none));
  BOOST_TEST(tenure->flush_steps() == 0u);
  tenure->leave();
  begin_flush(close_waiter);
  tenure->write_done();
  end_flush();
}

BOOST_AUTO_TEST_CASE(a_write_is_refused_where_no_handler_runs)
{
  begin_flush_of_one();
  check_refused();
  end_flush();
}

BOOST_AUTO_TEST_CASE(a_write_is_refused_in_a_handler_of_a_read)
{
  BOOST_TEST((tenure->enter_with_handler() == duty::none));
  tenure->leave();
  begin_flush_of_one();
  {
    const running_handler running(*tenure);
    check_refused();
  }
  tenure->handler_done();
  end_flush();
}

// The innermost handler is the one that starts it.
BOOST_AUTO_TEST_CASE(of_nested_handlers_the_inner_one_counts)
{
  begin_flush_of_one();
  {
    const running_handler outer(*tenure, true);
    const running_handler inner(*tenure);
    check_refused();
  }
  const running_handler outer(*tenure);
  const running_handler inner(*tenure, true);
  BOOST_TEST((enter_with_write(*tenure) == duty::none));
  tenure->leave();
  tenure->write_done();
  end_flush();
}

BOOST_AUTO_TEST_CASE(a_write_is_refused_in_another_thread)
{
  begin_flush_of_one();
  const running_handler running(*tenure, true);
  elsewhere([this] { check_refused(); });
  end_flush();
}

// Of the same object, which has been opened again, and of another one.
BOOST_AUTO_TEST_CASE(a_write_is_refused_in_a_handler_of_a_write_in_another_tenure)
{
  support::tenure_record other_record;
  for (support::fake_object* object : {&tenure->own(), new support::fake_object})
  {
    auto* other = new fake_tenure(shared, other_record, *object);
    begin_flush_of_one();
    {
      const running_handler running(*other, true);
      check_refused();
    }
    tenure->write_done();
    BOOST_TEST(wait_posted());
    record.steps.make();
    other->disown();
    BOOST_TEST_REQUIRE(recycles());
    open();
  }
  BOOST_TEST(close_waiter.completions() == 2);
  BOOST_TEST(other_record.frees == 1);
  destroy_object();
  BOOST_TEST(support::wait_until([&] { return other_record.frees == 2; }));
}

// It has re-opened the object itself, in vain, and does not go on with what it wrote.
BOOST_AUTO_TEST_CASE(a_write_is_refused_in_a_handler_that_has_left_the_tenure)
{
  begin_flush_of_one();
  const running_handler running(*tenure, true);
  running_handler::reopened(tenure->object());
  check_refused();
  end_flush();
}

// Its mark is still there while the count goes down.
BOOST_AUTO_TEST_CASE(no_write_is_let_in_when_the_flush_has_ended)
{
  begin_flush_of_one();
  {
    const running_handler running(*tenure, true);
    tenure->write_done();
    BOOST_TEST((enter_with_write(*tenure) == duty::refuse));
  }
  BOOST_TEST(tenure->refused_writes() == 0u);
  BOOST_TEST(tenure->flush_steps() == 0u);
  check_served();
}

BOOST_AUTO_TEST_CASE(what_is_outstanding_can_be_cancelled)
{
  begin_flush_of_one();
  BOOST_TEST((tenure->enter_to_cancel() == duty::none));
  BOOST_TEST(tenure->fd() == opened);
  tenure->leave();
  BOOST_TEST((tenure->enter_to_cancel() == duty::none));
  tenure->write_done();
  BOOST_TEST(is(phase::due));
  BOOST_TEST((tenure->enter_to_cancel() == duty::refuse));
  BOOST_TEST(record.detaches == 0);
  tenure->leave();
  BOOST_TEST((tenure->enter_to_cancel() == duty::refuse));
  check_served();
}

BOOST_AUTO_TEST_CASE(the_next_tenure_counts_anew)
{
  begin_flush_of_one();
  check_refused();
  {
    const running_handler running(*tenure, true);
    BOOST_TEST((enter_with_write(*tenure) == duty::none));
    tenure->leave();
    tenure->write_done();
  }
  end_flush();
  BOOST_TEST_REQUIRE(recycles());
  BOOST_TEST(tenure->refused_writes() == 0u);
  BOOST_TEST(tenure->flush_steps() == 0u);
  open();
}

// --- Limits.

BOOST_AUTO_TEST_CASE(more_writes_than_can_be_counted_are_refused)
{
  std::uint32_t writes = 0;
  for (; tenure->enter_with_write() == duty::none; ++writes)
    tenure->leave();
  BOOST_TEST(writes == 1u << 14);
  BOOST_TEST((enter_with_write(*tenure) == duty::overflow));
  BOOST_TEST(tenure->refused_writes() == 0u);
  BOOST_TEST((tenure->enter() == duty::none));
  tenure->leave();
  begin_flush(close_waiter);
  {
    // What goes on with one of them still has room.
    const running_handler running(*tenure, true);
    for (; enter_with_write(*tenure) == duty::none; ++writes)
      tenure->leave();
    BOOST_TEST((enter_with_write(*tenure) == duty::overflow));
  }
  BOOST_TEST(writes == (1u << 15) - 1);
  BOOST_TEST(tenure->flush_steps() == (1u << 14) - 1);
  BOOST_TEST(tenure->refused_writes() == 2u);
  for (; writes > 1; --writes)
    tenure->write_done();
  BOOST_TEST(is(phase::flushing));
  end_flush();
}

// Not under ThreadSanitizer, which takes the parent's worker for a thread of the child that is never joined.
#if !defined(__SANITIZE_THREAD__)

// Inside is another thread, which the child does not have; the write is queued in both, and the
// parent's to finish.
BOOST_AUTO_TEST_CASE(it_ends_in_a_forked_child)
{
  BOOST_TEST((tenure->enter() == duty::none));
  begin_flush_of_one();
  shared->on_fork(fork_event::prepare);
  const ::pid_t pid = support::fork_to(
    [this]
    {
      shared->on_fork(fork_event::child);
      const bool ended = record.detaches == 1;
      const bool closed = support::wait_until([this] { return !support::is_fd_open(opened); });
      tenure->write_done();
      return ended && closed && wait_posted();
    });
  shared->on_fork(fork_event::parent);
  BOOST_TEST(support::was_well(pid));
  BOOST_TEST(is(phase::flushing));
  tenure->write_done();
  BOOST_TEST(is(phase::due));
  tenure->leave();
  check_served();
}

#endif

// --- Threads against threads.

// Each chain of writes goes on for a while after the close: none of its steps may be refused, no
// descriptor be taken away from under one, and the very last step of all detaches.
BOOST_AUTO_TEST_CASE(chains_of_writes_run_to_their_ends_whenever_the_close_comes)
{
  constexpr int chains = 3;
  constexpr int steps_after_close = 50;
  for (int round = 0; round != 100; ++round)
  {
    std::atomic<int> refused{0};
    std::atomic<int> touched_late{0};
    std::atomic<int> chained{0};
    std::atomic<bool> flushing{false};
    const int detaches_before = record.detaches;
    for (int i = 0; i != chains; ++i)
      begin_write();
    support::at_once(chains + 1,
      [&](int i)
      {
        if (i == chains)
        {
          begin_flush(close_waiter);
          flushing = true;
          return;
        }
        for (int left = steps_after_close; left != 0; left -= flushing ? 1 : 0)
        {
          const running_handler running(*tenure, true);
          const bool late = tenure->enter_with_write() != duty::none;
          if (late && write_late(*tenure, duty::refuse) != duty::none)
            ++refused;
          chained += late ? 1 : 0;
          if (record.detaches != detaches_before || !support::is_fd_open(opened))
            ++touched_late;
          tenure->leave();
          tenure->write_done();
        }
        tenure->write_done();
      });
    BOOST_TEST_REQUIRE(refused == 0);
    BOOST_TEST(touched_late == 0);
    BOOST_TEST(chained >= chains * (steps_after_close - 1));
    BOOST_TEST(tenure->flush_steps() == static_cast<std::uint32_t>(chained));
    BOOST_TEST(record.detaches == detaches_before + 1);
    BOOST_TEST(wait_posted());
    record.steps.make();
    BOOST_TEST(close_waiter.completions() == round + 1);
    BOOST_TEST_REQUIRE(recycles());
    open();
  }
}

// Newcomers besides: each of them is let in before the close or refused by the flush, and counted then.
BOOST_AUTO_TEST_CASE(each_write_is_either_waited_for_or_counted_as_refused)
{
  for (int round = 0; round != 200; ++round)
  {
    std::atomic<int> refused{0};
    const int detaches_before = record.detaches;
    begin_write();
    support::at_once(3,
      [&](int i)
      {
        if (i == 2)
          return begin_flush(close_waiter);
        for (int n = 0; n != 20; ++n)
        {
          if (enter_with_write(*tenure) != duty::none)
          {
            ++refused;
            continue;
          }
          tenure->leave();
          tenure->write_done();
        }
      });
    BOOST_TEST(is(phase::flushing));
    BOOST_TEST(tenure->refused_writes() == static_cast<std::uint32_t>(refused));
    BOOST_TEST(record.detaches == detaches_before);
    tenure->write_done();
    BOOST_TEST(record.detaches == detaches_before + 1);
    BOOST_TEST(wait_posted());
    record.steps.make();
    BOOST_TEST_REQUIRE(recycles());
    open();
  }
}

BOOST_AUTO_TEST_SUITE_END()
