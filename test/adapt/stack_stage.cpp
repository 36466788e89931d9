// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The stages of a stack's close: every order of events is walked. In each the connection is closed, and the caller is
// told once, when nothing is outstanding.

#include <interlock/detail/adapt/stack_stage.hpp>

#include <cstddef>
#include <set>
#include <tuple>
#include <vector>

#include <boost/test/unit_test.hpp>

using interlock::close_mode;
using interlock::detail::stack_act;
using interlock::detail::stack_progress;
using interlock::detail::stack_stage;

namespace {

enum class step_kind
{
  drain,
  send,
  receive,
  close
};

struct step
{
  step_kind kind;
  std::size_t layer;

  bool operator<(const step& other) const
  {
    return std::tie(kind, layer) < std::tie(other.kind, other.layer);
  }
};

/// A close, its outstanding steps, and what has been done.
struct walker
{
  stack_progress progress;
  close_mode::kind how;
  std::multiset<step> steps{};
  int closes = 0;
  int told = 0;
  int give_ups = 3;
  bool is_to_begin = true;
  bool may_hurry = true;
  bool may_deliver = true; ///< May become stronger, and deliver still.

  auto key() const
  {
    std::vector<int> listed;
    for (const step& s : steps)
      listed.push_back(static_cast<int>(s.kind) * 8 + static_cast<int>(s.layer));
    return std::make_tuple(progress.stage(), progress.layer(), listed, how, closes, told, give_ups,
      is_to_begin, may_hurry, may_deliver);
  }

  bool is_over() const
  {
    return steps.empty() && !is_to_begin;
  }

  void begin()
  {
    is_to_begin = false;
    progress.start_step();
    act(progress.begin(how), true);
    act(progress.end_step(), true);
  }

  void hurry(close_mode::kind mode)
  {
    if (mode >= how)
      return;
    how = mode;
    progress.start_step();
    act(progress.hurry(how), true);
    act(progress.end_step(), true);
  }

  void start(step_kind kind)
  {
    progress.start_step();
    steps.insert({kind, progress.layer()});
  }

  /// `open`: what a look at a layer finds.
  void act(stack_act a, bool open)
  {
    BOOST_REQUIRE((told == 0 || a == stack_act::nothing));
    switch (a)
    {
    case stack_act::nothing:
      return;
    case stack_act::drain:
      return start(step_kind::drain);
    case stack_act::look:
      return act(progress.looked(open), open);
    case stack_act::send:
      return start(step_kind::send);
    case stack_act::receive:
      return start(step_kind::receive);
    case stack_act::close:
      ++closes;
      return start(step_kind::close);
    case stack_act::complete:
      ++told;
    }
  }

  /// The outstanding step ends, well or not.
  void end(const step& s, bool well, bool open)
  {
    steps.erase(steps.find(s));
    if (s.kind == step_kind::drain)
      act(well ? progress.drained() : progress.give_up(), open);
    else if (s.kind == step_kind::send)
      act(well ? progress.sent(s.layer) : progress.ended(s.layer), open);
    else if (s.kind == step_kind::receive)
      act(progress.ended(s.layer), open);
    act(progress.end_step(), open);
  }
};

class walk
{
public:
  void from(const walker& w)
  {
    if (!seen_.insert(w.key()).second)
      return;
    if (w.is_over())
      check_end(w);
    if (w.is_to_begin)
      go_on(w, [](walker& next) { next.begin(); });
    for (const step& s : std::set<step>(w.steps.begin(), w.steps.end()))
      for (const bool well : {true, false})
        for (const bool open : {true, false})
          go_on(w, [&](walker& next) { next.end(s, well, open); });
    if (w.give_ups != 0 && !w.is_to_begin)
      go_on(w,
        [](walker& next)
        {
          --next.give_ups;
          next.act(next.progress.give_up(), true);
        });
    if (w.may_hurry)
      go_on(w,
        [](walker& next)
        {
          next.may_hurry = false;
          next.hurry(close_mode::kind::immediate);
        });
    if (w.may_deliver && w.how == close_mode::kind::graceful)
      go_on(w,
        [](walker& next)
        {
          next.may_deliver = false;
          next.hurry(close_mode::kind::deliver);
        });
  }

  std::size_t states() const
  {
    return seen_.size();
  }

private:
  template <class Event>
  void go_on(const walker& w, Event event)
  {
    walker next(w);
    event(next);
    BOOST_REQUIRE((next.told == 0 || next.steps.empty()));
    from(next);
  }

  static void check_end(const walker& w)
  {
    BOOST_REQUIRE(w.told == 1);
    BOOST_REQUIRE((w.closes >= 1 && w.closes <= 3));
    BOOST_REQUIRE((w.progress.stage() == stack_stage::over));
  }

  std::set<decltype(std::declval<walker>().key())> seen_;
};

std::size_t walk_from(close_mode::kind how, std::size_t layers)
{
  walk all;
  all.from(walker{stack_progress(layers), how});
  return all.states();
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_stack_stage)

BOOST_AUTO_TEST_CASE(every_order_of_events_ends_once)
{
  for (std::size_t layers = 0; layers != 4; ++layers)
  {
    BOOST_TEST(
      walk_from(close_mode::kind::abort, layers) == walk_from(close_mode::kind::immediate, 0));
    BOOST_TEST(walk_from(close_mode::kind::graceful, layers)
      >= walk_from(close_mode::kind::deliver, layers));
  }
  BOOST_TEST(walk_from(close_mode::kind::graceful, 2) > 20u);
}

BOOST_AUTO_TEST_CASE(the_layers_end_in_order_from_the_top)
{
  stack_progress p(2);
  BOOST_TEST((p.begin(close_mode::kind::graceful) == stack_act::drain));
  BOOST_TEST((p.drained() == stack_act::look));
  BOOST_TEST((p.looked(true) == stack_act::send));
  BOOST_TEST((p.sent(0) == stack_act::receive));
  BOOST_TEST((p.ended(0) == stack_act::look));
  BOOST_TEST(p.layer() == 1u);
  BOOST_TEST((p.looked(true) == stack_act::send));
  BOOST_TEST((p.sent(1) == stack_act::receive));
  BOOST_TEST((p.ended(1) == stack_act::close));
}

// The walk does not ask in which order the layers end, nor how long one is waited for.
BOOST_AUTO_TEST_CASE(a_layer_is_waited_for_by_a_graceful_close_alone_and_not_for_ever)
{
  const auto at_first_look = [](close_mode::kind how)
  {
    stack_progress p(2);
    p.begin(how);
    p.drained();
    return p;
  };
  stack_progress delivers = at_first_look(close_mode::kind::deliver);
  BOOST_TEST((delivers.looked(true) == stack_act::send));
  BOOST_TEST((delivers.sent(0) == stack_act::look));
  BOOST_TEST((delivers.looked(true) == stack_act::send));
  BOOST_TEST((delivers.sent(1) == stack_act::close));

  stack_progress waiting = at_first_look(close_mode::kind::graceful);
  waiting.looked(true);
  waiting.sent(0);
  stack_progress overtaken(waiting);
  BOOST_TEST((overtaken.hurry(close_mode::kind::deliver) == stack_act::look));
  overtaken.looked(true);
  BOOST_TEST((overtaken.sent(1) == stack_act::close));

  // A layer that waits in vain leaves a last chance to those below.
  BOOST_TEST((waiting.give_up() == stack_act::look));
  BOOST_TEST((waiting.looked(true) == stack_act::send));
  stack_progress written(waiting);
  BOOST_TEST((written.sent(1) == stack_act::close));
  BOOST_TEST((waiting.give_up() == stack_act::close));

  stack_progress none_open = at_first_look(close_mode::kind::graceful);
  BOOST_TEST((none_open.looked(false) == stack_act::look));
  BOOST_TEST((none_open.looked(false) == stack_act::close));
}

BOOST_AUTO_TEST_CASE(a_stronger_mode_may_come_before_the_beginning)
{
  stack_progress p(1);
  BOOST_TEST((p.hurry(close_mode::kind::deliver) == stack_act::nothing));
  BOOST_TEST((p.hurry(close_mode::kind::abort) == stack_act::close));
  BOOST_TEST((p.begin(close_mode::kind::graceful) == stack_act::nothing));
}

BOOST_AUTO_TEST_CASE(what_ends_of_an_earlier_layer_has_no_effect)
{
  stack_progress p(2);
  p.begin(close_mode::kind::deliver);
  p.drained();
  p.looked(true);
  p.sent(0);
  p.looked(true);
  BOOST_TEST((p.ended(0) == stack_act::nothing));
  BOOST_TEST((p.sent(0) == stack_act::nothing));
  BOOST_TEST(p.is_sending(1));
}

BOOST_AUTO_TEST_SUITE_END()
