// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The tenure's word: every state that it can reach with counts of few bits, and the widths in use
// at their limits.

#include <interlock/detail/tenure/word.hpp>

#include <cstdint>

#include <interlock/detail/tenure/atomic_word.hpp>

#include <boost/test/unit_test.hpp>

#include "tenure/word_walk.hpp"

namespace detail = interlock::detail;

using detail::duty;
using detail::phase;
using detail::word;

namespace {

// A walk that became shorter would no longer see everything: the descriptors are those of today.
template <unsigned InsideBits, unsigned HandlerBits, unsigned WriteBits, unsigned LeaseBits>
void walk(std::size_t states, std::size_t transitions)
{
  const support::word_walk<InsideBits, HandlerBits, WriteBits, LeaseBits> w;
  BOOST_TEST(w.flaw() == "");
  BOOST_TEST(w.states() >= states);
  BOOST_TEST(w.transitions() >= transitions);
  BOOST_TEST_MESSAGE("walked <" << InsideBits << ", " << HandlerBits << ", " << WriteBits << ", "
                                << LeaseBits << ">: " << w.states() << " states, "
                                << w.transitions() << " transitions");
}

using transition = word::step(word::value) noexcept;

word::value after(transition* t, word::value w, std::size_t times)
{
  for (; times; --times)
    w = t(w).next;
  return w;
}

// A write whose initiating function has returned.
word::step begun_write(word::value w) noexcept
{
  return word::leave(word::enter_with_write(w).next);
}

// Of the widths in use.
constexpr std::size_t half_inside = 1u << 12;
constexpr std::size_t half_handlers = 1u << 19;
constexpr std::size_t half_writes = 1u << 14;

const word::value opened = word::publish(word::initial()).next;

} // namespace

BOOST_AUTO_TEST_SUITE(test_word)

BOOST_AUTO_TEST_CASE(no_order_of_events_leads_astray_with_two_bits_each)
{
  walk<2, 2, 2, 1>(3916, 67913);
}

// Writes come to the limit of their own count before handlers do.
BOOST_AUTO_TEST_CASE(no_order_of_events_leads_astray_with_more_handlers_than_writes)
{
  walk<2, 3, 2, 2>(83756, 1606105);
}

BOOST_AUTO_TEST_CASE(no_order_of_events_leads_astray_with_as_many_writes_as_handlers)
{
  walk<2, 3, 3, 1>(51048, 962489);
}

BOOST_AUTO_TEST_CASE(no_order_of_events_leads_astray_with_more_threads_than_handlers)
{
  walk<3, 2, 2, 1>(17916, 346171);
}

BOOST_AUTO_TEST_CASE(no_order_of_events_leads_astray_with_many_threads_and_handlers)
{
  walk<3, 3, 2, 1>(204148, 4220487);
}

BOOST_AUTO_TEST_CASE(a_new_tenure_is_owned_and_vacant)
{
  BOOST_TEST((word::phase_of(word::initial()) == phase::vacant));
  BOOST_TEST(word::owned(word::initial()));
  BOOST_TEST(word::inside(word::initial()) == 0u);
  BOOST_TEST(word::handlers(word::initial()) == 0u);
  BOOST_TEST(word::writes(word::initial()) == 0u);
  BOOST_TEST(word::leases(word::initial()) == 0u);
  BOOST_TEST(!word::has_blocked_threads(word::initial()));
  BOOST_TEST(!word::dead(word::initial()));
}

BOOST_AUTO_TEST_CASE(threads_are_refused_at_half_of_the_count_and_change_nothing)
{
  BOOST_TEST((word::enter(after(word::enter, opened, half_inside - 1)).then == duty::none));
  const word::value w = after(word::enter, opened, half_inside);
  BOOST_TEST(word::inside(w) == half_inside);
  for (transition* newcomer :
    {&word::enter, &word::enter_with_handler, &word::enter_with_write, &word::enter_to_cancel})
  {
    BOOST_TEST((newcomer(w).then == duty::overflow));
    BOOST_TEST(newcomer(w).next == w);
  }
}

BOOST_AUTO_TEST_CASE(handlers_are_refused_at_half_of_the_count_and_change_nothing)
{
  const word::value w = after(word::add_handler, opened, half_handlers);
  BOOST_TEST(word::handlers(w) == half_handlers);
  for (transition* newcomer : {&word::enter_with_handler, &word::enter_with_write})
  {
    BOOST_TEST((newcomer(w).then == duty::overflow));
    BOOST_TEST(newcomer(w).next == w);
    BOOST_TEST((newcomer(word::handler_done(w).next).then == duty::none));
  }
}

BOOST_AUTO_TEST_CASE(writes_are_refused_at_half_of_their_count_and_nothing_else_is)
{
  const word::value w = after(begun_write, opened, half_writes);
  BOOST_TEST(word::writes(w) == half_writes);
  BOOST_TEST(word::handlers(w) == half_writes);
  BOOST_TEST(word::inside(w) == 0u);
  BOOST_TEST((word::enter_with_write(w).then == duty::overflow));
  BOOST_TEST(word::enter_with_write(w).next == w);
  BOOST_TEST((word::enter(w).then == duty::none));
  BOOST_TEST((word::enter_with_handler(w).then == duty::none));
  BOOST_TEST((word::enter_with_write(word::write_done(w).next).then == duty::none));
}

BOOST_AUTO_TEST_CASE(as_many_writes_as_there_can_be_still_go_on_in_a_flush)
{
  word::step s = word::begin_flush(
    word::enter_to_close(after(begun_write, opened, half_writes)).next);
  BOOST_TEST((s.then == duty::flush));
  std::size_t chained = 0;
  for (; (s = word::chain_write(s.next)).then == duty::none; ++chained)
    s = word::leave(s.next);
  BOOST_TEST((s.then == duty::overflow));
  BOOST_TEST(chained == half_writes - 1);
  BOOST_TEST(word::writes(s.next) == 2 * half_writes - 1);
  BOOST_TEST(word::leases(s.next) == 0u);
  BOOST_TEST((word::chain_write(word::write_done(s.next).next).then == duty::none));
}

BOOST_AUTO_TEST_CASE(as_many_copies_of_a_write_as_there_can_be_are_counted)
{
  word::step s = begun_write(opened);
  std::size_t copied = 0;
  for (; (s = word::copy_write(s.next)).then == duty::none; ++copied)
    continue;
  BOOST_TEST((s.then == duty::overflow));
  BOOST_TEST(copied == 2 * half_writes - 2);
  BOOST_TEST(word::writes(s.next) == 2 * half_writes - 1);
  BOOST_TEST(word::leases(s.next) == 0u);
}

BOOST_AUTO_TEST_CASE(leases_are_refused_when_their_count_is_full)
{
  const word::value w = after(word::lend, word::enter(opened).next, 1023);
  BOOST_TEST(word::leases(w) == 1023u);
  BOOST_TEST((word::lend(w).then == duty::overflow));
  BOOST_TEST(word::lend(w).next == w);
}

BOOST_AUTO_TEST_CASE(as_many_newcomers_as_there_can_be_leave_room_for_closers)
{
  const word::value crowded = after(
    word::add_handler, after(word::enter, opened, half_inside), half_handlers);
  word::step s = word::enter_to_close(crowded);
  BOOST_TEST((s.then == duty::none));
  s = word::begin_close(s.next);
  BOOST_TEST((s.then == duty::none));
  BOOST_TEST(word::inside(s.next) == half_inside + 1);
  BOOST_TEST(word::handlers(s.next) == half_handlers + 2);

  // Joiners take the rest, but for the thread that finishes.
  std::size_t joiners = 0;
  for (; (s = word::enter_to_close(s.next)).then == duty::none; ++joiners)
    BOOST_TEST_REQUIRE((word::begin_close(s.next).then == duty::join));
  BOOST_TEST((s.then == duty::overflow));
  BOOST_TEST(joiners == half_inside - 3);
  BOOST_TEST(word::inside(s.next) == 2 * half_inside - 2);
  BOOST_TEST((word::hold(s.next).then == duty::overflow));
}

BOOST_AUTO_TEST_CASE(a_finish_has_room_among_as_many_joiners_as_there_can_be)
{
  const word::value handed_over = word::demand(opened).next;
  word::step s = {handed_over, duty::none};
  while ((s = word::enter_to_close(s.next)).then == duty::none)
  {
  }
  s = word::report(s.next);
  BOOST_TEST((s.then == duty::finish));
  BOOST_TEST((word::phase_of(s.next) == phase::ended));
  BOOST_TEST(word::inside(s.next) == 2 * half_inside - 1);
  BOOST_TEST(word::handlers(s.next) == 0u);
}

BOOST_AUTO_TEST_CASE(handlers_can_take_the_room_of_a_closer_that_has_entered)
{
  const word::value entered = word::enter_to_close(opened).next;
  const word::value w = after(word::add_handler, entered, 2 * half_handlers - 2);
  BOOST_TEST((word::enter_to_close(w).then == duty::overflow));
  for (transition* begin : {&word::begin_close, &word::begin_flush})
  {
    BOOST_TEST((begin(w).then == duty::overflow));
    BOOST_TEST(begin(w).next == w);
    BOOST_TEST((begin(word::handler_done(w).next).then == duty::none));
    // Joining needs no handler.
    BOOST_TEST((begin(word::demand(w).next).then == duty::join));
  }
}

BOOST_AUTO_TEST_CASE(a_closer_enters_in_every_phase_but_vacant_and_is_inside_once)
{
  BOOST_TEST((word::enter_to_close(word::initial()).then == duty::refuse));
  const word::value begun = word::begin_close(word::enter_to_close(opened).next).next;
  const word::value due = word::demand(begun).next;
  const word::value over = word::report(word::demand(opened).next).next;
  for (word::value w : {begun, due, over})
  {
    const word::step entered = word::enter_to_close(w);
    BOOST_TEST((entered.then == duty::none));
    BOOST_TEST(word::inside(entered.next) == 2u);
    BOOST_TEST((word::begin_close(entered.next).then == duty::join));
    BOOST_TEST(word::begin_close(entered.next).next == entered.next);
    BOOST_TEST(word::leave(entered.next).next == w);
  }
}

BOOST_AUTO_TEST_CASE(a_tenure_is_not_recycled_while_a_closer_that_has_entered_reads_it)
{
  const word::value over = word::report(word::demand(opened).next).next;
  const word::value read = word::leave(word::enter_to_close(over).next).next;
  BOOST_TEST((word::recycle(read).then == duty::busy));
  BOOST_TEST((word::recycle(word::leave(read).next).then == duty::none));
}

BOOST_AUTO_TEST_CASE(a_transition_tells_from_which_word_it_was_made)
{
  detail::atomic_word w;
  word::value before = 0;
  BOOST_TEST((w.apply<word::publish>(&before) == duty::none));
  BOOST_TEST(before == word::initial());
  BOOST_TEST((w.current_phase() == phase::open));
  BOOST_TEST((w.apply<word::enter>() == duty::none));
  BOOST_TEST((w.apply<word::demand>(&before) == duty::none));
  BOOST_TEST(before == word::enter(opened).next);

  // A refused one tells it as well.
  BOOST_TEST((w.apply<word::enter>(&before) == duty::refuse));
  BOOST_TEST(before == w.load());
  BOOST_TEST((w.apply<word::leave>() == duty::detach));
  BOOST_TEST((w.current_phase() == phase::detached));
}

// Whatever is not quite usual takes the long way, to the same end.
BOOST_AUTO_TEST_CASE(the_short_way_of_an_open_tenure_answers_as_the_long_one)
{
  detail::atomic_word shorter;
  detail::atomic_word longer;
  const auto same = [&](duty a, duty b) { return a == b && shorter.load() == longer.load(); };
  const auto enter = [&]
  { return same(shorter.apply_open<word::enter>(), longer.apply<word::enter>()); };
  const auto leave = [&]
  { return same(shorter.apply_open<word::leave>(), longer.apply<word::leave>()); };
  BOOST_TEST(enter());
  for (detail::atomic_word* w : {&shorter, &longer})
    w->apply<word::publish>();
  for (std::size_t i = 0; i <= half_inside; ++i)
    BOOST_TEST_REQUIRE(enter());
  BOOST_TEST(word::inside(shorter.load()) == half_inside);
  for (std::size_t i = 0; i < half_inside - 1; ++i)
    BOOST_TEST_REQUIRE(leave());
  for (detail::atomic_word* w : {&shorter, &longer})
    w->apply<word::demand>();
  BOOST_TEST(enter());
  BOOST_TEST(leave());
  BOOST_TEST((shorter.current_phase() == phase::detached));
}

BOOST_AUTO_TEST_CASE(the_short_way_of_a_write_answers_as_the_long_one)
{
  detail::atomic_word shorter;
  detail::atomic_word longer;
  const auto same = [&](duty a, duty b) { return a == b && shorter.load() == longer.load(); };
  const auto enter = [&]
  {
    return same(
      shorter.apply_open<word::enter_with_write>(), longer.apply<word::enter_with_write>());
  };
  const auto done = [&]
  { return same(shorter.apply_open<word::write_done>(), longer.apply<word::write_done>()); };
  for (detail::atomic_word* w : {&shorter, &longer})
    w->apply<word::publish>();
  for (int i = 0; i < 3; ++i)
    BOOST_TEST(enter());
  BOOST_TEST(done());
  BOOST_TEST(word::writes(shorter.load()) == 2u);
  for (detail::atomic_word* w : {&shorter, &longer})
    for (int i = 0; i < 3; ++i)
      w->apply<word::leave>();
  for (detail::atomic_word* w : {&shorter, &longer})
  {
    BOOST_TEST((w->apply<word::enter_to_close>() == duty::none));
    BOOST_TEST((w->apply<word::begin_flush>() == duty::flush));
  }
  BOOST_TEST(enter());
  BOOST_TEST(done());
  BOOST_TEST((shorter.current_phase() == phase::flushing));
  BOOST_TEST(done());
  BOOST_TEST((shorter.current_phase() == phase::due));
  BOOST_TEST(word::writes(shorter.load()) == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
