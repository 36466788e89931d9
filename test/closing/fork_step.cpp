// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What a context does about forks, walked: every state that a process and its children can reach, with every event.

#include <interlock/detail/closing/fork_step.hpp>

#include <deque>
#include <set>
#include <tuple>

#include <boost/test/unit_test.hpp>

using interlock::detail::fork_act;
using interlock::detail::fork_event;
using interlock::detail::fork_state;
using interlock::detail::fork_step;
using interlock::detail::is_parked;
using interlock::detail::step_of;

namespace {

constexpr fork_event by_the_program[] = {
  fork_event::prepare, fork_event::parent, fork_event::child, fork_event::use};

constexpr fork_event all_events[] = {fork_event::prepare, fork_event::parent, fork_event::child,
  fork_event::begin, fork_event::end, fork_event::use};

auto as_tuple(const fork_state& s)
{
  return std::make_tuple(s.prepared, s.forking, s.foreign);
}

bool same(const fork_state& a, const fork_state& b)
{
  return as_tuple(a) == as_tuple(b);
}

fork_state child_of(fork_state s)
{
  s.foreign = true;
  return s;
}

/// What a process comes to: a context that has to be notified is, and the event comes again.
fork_state after(const fork_state& s, fork_event e)
{
  const fork_step one = step_of(s, e);
  if (one.act != fork_act::notify)
    return one.next;
  const fork_state told = step_of(one.next, fork_event::child).next;
  return step_of(told, e).next;
}

/// All that a process can be in while it runs, and all between the handlers of a fork; of its children, too.
struct reached
{
  std::deque<fork_state> running;
  std::deque<fork_state> forking;

  reached()
  {
    add(running, fork_state());
    for (std::size_t i = 0; i != running.size(); ++i)
    {
      const fork_state s = running[i];
      for (const fork_event e : by_the_program)
        add(running, after(s, e));
      const fork_state f = step_of(s, fork_event::begin).next;
      add(forking, f);
      add(running, step_of(f, fork_event::end).next);
      add(running, child_of(f)); // by fork(2)
      add(running, child_of(s)); // by clone(2), without handlers
    }
  }

private:
  void add(std::deque<fork_state>& all, const fork_state& s)
  {
    if (seen_.insert(std::make_tuple(&all, as_tuple(s))).second)
      all.push_back(s);
  }

  std::set<std::tuple<const void*, std::tuple<bool, bool, bool>>> seen_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_fork_step)

BOOST_AUTO_TEST_CASE(threads_are_parked_and_go_on_by_turns)
{
  const reached all;
  for (const std::deque<fork_state>* some : {&all.running, &all.forking})
    for (const fork_state& s : *some)
      for (const fork_event e : all_events)
      {
        const fork_step one = step_of(s, e);
        const bool was = is_parked(s);
        const bool is = is_parked(one.next);
        BOOST_TEST((one.act == fork_act::park) == (!was && is && e == fork_event::begin));
        BOOST_TEST((one.act == fork_act::resume) == (was && !is));
        if (!was && is)
          BOOST_TEST((one.act == fork_act::park || one.act == fork_act::settle_and_park));
      }
}

BOOST_AUTO_TEST_CASE(a_preparation_settles_unless_another_thread_forks)
{
  const reached all;
  for (const std::deque<fork_state>* some : {&all.running, &all.forking})
    for (const fork_state& s : *some)
      for (const fork_event e : all_events)
        BOOST_TEST((step_of(s, e).act == fork_act::settle_and_park)
          == (e == fork_event::prepare && !s.foreign && !s.forking));
}

BOOST_AUTO_TEST_CASE(no_thread_of_the_parent_runs_at_a_fork)
{
  const reached all;
  for (const fork_state& s : all.forking)
    BOOST_TEST((is_parked(s) || s.foreign));
}

BOOST_AUTO_TEST_CASE(a_fork_leaves_the_parent_as_it_was)
{
  for (const fork_state& s : reached().running)
    if (!s.forking)
      BOOST_TEST(same(step_of(step_of(s, fork_event::begin).next, fork_event::end).next, s));
}

BOOST_AUTO_TEST_CASE(a_second_preparation_leads_to_the_same)
{
  for (const fork_state& s : reached().running)
  {
    const fork_state once = after(s, fork_event::prepare);
    BOOST_TEST(same(step_of(once, fork_event::prepare).next, once));
    BOOST_TEST(is_parked(once));
  }
}

BOOST_AUTO_TEST_CASE(an_end_without_a_preparation_does_nothing)
{
  for (const fork_event e : {fork_event::parent, fork_event::child})
  {
    const fork_step one = step_of(fork_state(), e);
    BOOST_TEST((same(one.next, fork_state()) && one.act == fork_act::none));
  }
}

BOOST_AUTO_TEST_CASE(a_child_adopts_once_before_it_does_anything_else)
{
  const reached all;
  int children = 0;
  for (const fork_state& s : all.running)
    for (const fork_event e : by_the_program)
    {
      const fork_step one = step_of(s, e);
      if (!s.foreign)
      {
        BOOST_TEST(
          (one.act != fork_act::adopt && one.act != fork_act::notify && !one.next.foreign));
        continue;
      }
      ++children;
      BOOST_TEST((one.act == (e == fork_event::child ? fork_act::adopt : fork_act::notify)));
      BOOST_TEST(!after(s, e).foreign);
      BOOST_TEST(same(step_of(s, fork_event::child).next, fork_state()));
    }
  BOOST_TEST(children == 4 * 4);
}

BOOST_AUTO_TEST_SUITE_END()
