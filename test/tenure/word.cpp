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

/// `Enters`, whose initiating function has returned.
template <transition* Enters>
word::step begun(word::value w) noexcept
{
  const word::step s = Enters(w);
  return s.then == duty::none ? word::leave(s.next) : s;
}

/// A close that delivers.
word::value flush(word::value w) noexcept
{
  return word::begin_flush(word::enter_to_close(w).next).next;
}

// Of the widths in use.
constexpr std::size_t half_inside = 1u << 12;
constexpr std::size_t half_handlers = 1u << 19;
constexpr std::size_t half_writes = 1u << 14;

const word::value opened = word::publish(word::initial()).next;

/// Makes a word of an atomic one.
word::value made = 0;

word::step become_made(word::value) noexcept
{
  return {made, duty::none};
}

template <transition* Transition>
void check_short_way(word::value w)
{
  made = w;
  detail::atomic_word shorter;
  detail::atomic_word longer;
  for (detail::atomic_word* each : {&shorter, &longer})
    each->apply<become_made>();
  BOOST_TEST((shorter.apply_open<Transition>() == longer.apply<Transition>()));
  BOOST_TEST(shorter.load() == longer.load());
}

/// The sum of a word's counts.
std::size_t counted(word::value w)
{
  return word::inside(w) + word::handlers(w) + word::writes(w) + word::leases(w);
}

/// A newcomer, and how many of it there can be.
struct limit
{
  const char* of;
  transition* newcomer;
  std::size_t counts; // in how many of the counts it is
  word::value from;
  std::size_t most;
};

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

// In the upper half of a count is the room of those that must not fail. What comes to a limit changes nothing, and no
// count runs over into the next.
BOOST_AUTO_TEST_CASE(each_count_has_its_limit)
{
  const word::value of_write = begun<word::enter_with_write>(opened).next;
  const word::value of_writes = after(begun<word::enter_with_write>, opened, half_writes);
  const limit limits[] = {
    {"enter", word::enter, 1, opened, half_inside},
    {"enter_to_cancel", word::enter_to_cancel, 1, opened, half_inside},
    {"enter_to_close", word::enter_to_close, 1, opened, 2 * half_inside - 2},
    {"enter_with_handler", begun<word::enter_with_handler>, 1, opened, half_handlers},
    {"add_handler", word::add_handler, 1, opened, 2 * half_handlers - 2},
    {"enter_with_write", begun<word::enter_with_write>, 2, opened, half_writes},
    {"chain_write", begun<word::chain_write>, 2, flush(of_writes), half_writes - 1},
    {"copy_write", word::copy_write, 2, of_write, 2 * half_writes - 2},
    {"lend", word::lend, 1, word::enter(opened).next, 1023},
  };
  for (const limit& l : limits)
    BOOST_TEST_CONTEXT(l.of)
    {
      const word::value almost = after(l.newcomer, l.from, l.most - 1);
      const word::step last = l.newcomer(almost);
      BOOST_TEST((last.then == duty::none));
      BOOST_TEST(counted(last.next) == counted(l.from) + l.most * l.counts);
      BOOST_TEST((l.newcomer(last.next).then == duty::overflow));
      BOOST_TEST(l.newcomer(last.next).next == last.next);
    }
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

BOOST_AUTO_TEST_CASE(the_short_way_of_an_open_tenure_answers_as_the_long_one)
{
  for (const std::size_t threads : {std::size_t(1), half_inside - 1, half_inside})
    for (const std::size_t writes : {std::size_t(1), half_writes - 1, half_writes})
    {
      const word::value busy = after(
        word::enter, after(begun<word::enter_with_write>, opened, writes), threads);
      for (const word::value w : {busy, flush(busy), word::demand(busy).next,
             word::begin_close(word::enter_to_close(busy).next).next})
      {
        check_short_way<word::enter>(w);
        check_short_way<word::enter_with_handler>(w);
        check_short_way<word::enter_with_write>(w);
        check_short_way<word::leave>(w);
        check_short_way<word::handler_done>(w);
        check_short_way<word::write_done>(w);
      }
    }
  check_short_way<word::enter>(word::initial());
}

BOOST_AUTO_TEST_SUITE_END()
