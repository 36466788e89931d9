// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The tenure's word: every state that it can reach with counts of few bits, and the widths in use
// at their limits.

#include <interlock/detail/number/word.hpp>

#include <cstdint>

#include <interlock/detail/number/atomic_word.hpp>

#include <boost/test/unit_test.hpp>

#include "support/word_walk.hpp"

namespace detail = interlock::detail;

using detail::duty;
using detail::phase;
using detail::word;

namespace
{

// A walk that became shorter would no longer see everything: the numbers are those of today.
template <unsigned InsideBits, unsigned HandlerBits, unsigned LeaseBits>
void walk(std::size_t states, std::size_t transitions)
{
  const support::word_walk<InsideBits, HandlerBits, LeaseBits> w;
  BOOST_TEST(w.flaw() == "");
  BOOST_TEST(w.states() >= states);
  BOOST_TEST(w.transitions() >= transitions);
  BOOST_TEST_MESSAGE("walked <" << InsideBits << ", " << HandlerBits << ", " << LeaseBits << ">: "
                                << w.states() << " states, " << w.transitions() << " transitions");
}

word::value after(word::step (*transition)(word::value) noexcept, word::value w, std::size_t times)
{
  for (; times; --times)
    w = transition(w).next;
  return w;
}

const word::value opened = word::publish(word::initial()).next;

} // namespace

BOOST_AUTO_TEST_SUITE(test_word)

BOOST_AUTO_TEST_CASE(no_order_of_events_leads_astray_with_two_bits_each)
{
  walk<2, 2, 1>(2024, 20723);
}

BOOST_AUTO_TEST_CASE(no_order_of_events_leads_astray_with_more_handlers_than_threads)
{
  walk<2, 3, 1>(12184, 136231);
}

BOOST_AUTO_TEST_CASE(no_order_of_events_leads_astray_with_more_threads_than_handlers)
{
  walk<3, 2, 1>(9044, 105143);
}

BOOST_AUTO_TEST_CASE(no_order_of_events_leads_astray_with_three_bits_each)
{
  walk<3, 3, 2>(103128, 1321577);
}

BOOST_AUTO_TEST_CASE(a_new_tenure_is_owned_and_vacant)
{
  BOOST_TEST((word::phase_of(word::initial()) == phase::vacant));
  BOOST_TEST(word::owned(word::initial()));
  BOOST_TEST(word::inside(word::initial()) == 0u);
  BOOST_TEST(word::handlers(word::initial()) == 0u);
  BOOST_TEST(!word::has_waiters(word::initial()));
  BOOST_TEST(!word::dead(word::initial()));
}

BOOST_AUTO_TEST_CASE(threads_are_refused_at_half_of_the_count_and_change_nothing)
{
  const std::size_t half = 1u << 15;
  BOOST_TEST((word::enter(after(word::enter, opened, half - 1)).then == duty::none));
  const word::value w = after(word::enter, opened, half);
  BOOST_TEST(word::inside(w) == half);
  BOOST_TEST((word::enter(w).then == duty::overflow));
  BOOST_TEST(word::enter(w).next == w);
  BOOST_TEST((word::enter_with_handler(w).then == duty::overflow));
  BOOST_TEST(word::enter_with_handler(w).next == w);
}

BOOST_AUTO_TEST_CASE(handlers_are_refused_at_half_of_the_count_and_change_nothing)
{
  const std::size_t half = 1u << 23;
  const word::value w = after(word::add_handler, opened, half);
  BOOST_TEST(word::handlers(w) == half);
  BOOST_TEST((word::enter_with_handler(w).then == duty::overflow));
  BOOST_TEST(word::enter_with_handler(w).next == w);
  const word::value one_less = word::handler_done(w).next;
  BOOST_TEST((word::enter_with_handler(one_less).then == duty::none));
}

BOOST_AUTO_TEST_CASE(as_many_newcomers_as_there_can_be_leave_room_for_closers)
{
  const word::value crowded = after(
    word::add_handler, after(word::enter, opened, 1u << 15), 1u << 23);
  word::step s = word::begin_close(crowded);
  BOOST_TEST((s.then == duty::none));
  BOOST_TEST(word::handlers(s.next) == (1u << 23) + 2);

  // Joiners take the rest, but for the one who finishes.
  std::size_t joiners = 0;
  for (; (s = word::begin_close(s.next)).then == duty::join; ++joiners)
  {
  }
  BOOST_TEST((s.then == duty::overflow));
  BOOST_TEST(joiners == (1u << 15) - 3);
  BOOST_TEST(word::inside(s.next) == 0xfffeu);
  BOOST_TEST((word::hold(s.next).then == duty::overflow));
}

BOOST_AUTO_TEST_CASE(a_finish_has_room_among_as_many_joiners_as_there_can_be)
{
  const word::value handed_over = word::demand(opened).next;
  word::step s = {handed_over, duty::none};
  while ((s = word::begin_close(s.next)).then == duty::join)
  {
  }
  s = word::report(s.next);
  BOOST_TEST((s.then == duty::finish));
  BOOST_TEST((word::phase_of(s.next) == phase::ended));
  BOOST_TEST(word::inside(s.next) == 0xffffu);
  BOOST_TEST(word::handlers(s.next) == 0u);
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
  for (std::size_t i = 0; i <= 1u << 15; ++i)
    BOOST_TEST_REQUIRE(enter());
  BOOST_TEST(word::inside(shorter.load()) == 1u << 15);
  for (std::size_t i = 0; i < (1u << 15) - 1; ++i)
    BOOST_TEST_REQUIRE(leave());
  for (detail::atomic_word* w : {&shorter, &longer})
    w->apply<word::demand>();
  BOOST_TEST(enter());
  BOOST_TEST(leave());
  BOOST_TEST((shorter.current_phase() == phase::detached));
}

BOOST_AUTO_TEST_SUITE_END()
