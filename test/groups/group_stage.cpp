// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// How the close of a group goes on: every sequence of events with up to three members is walked.

#include <interlock/detail/groups/group_stage.hpp>

#include <cstddef>
#include <set>
#include <tuple>
#include <vector>

#include <boost/test/unit_test.hpp>

using interlock::detail::group_act;
using interlock::detail::group_progress;
using interlock::detail::group_stage;

namespace {

constexpr std::size_t most = 3;

/// The progress, and what a caller of the round has seen.
struct walked
{
  group_progress progress;
  std::size_t rounds = 0;   // begun
  std::size_t complete = 0; // told
  bool delivers = false;

  auto key() const
  {
    return std::make_tuple(progress.stage(), progress.waiting(), progress.pending(), delivers,
      rounds - complete, rounds < 2);
  }
};

/// Walks from `w`, once from each state.
class walk
{
public:
  void from(const walked& w)
  {
    if (!seen_.insert(w.key()).second)
      return;
    check(w);
    for (std::size_t members = 0; members <= most && w.rounds < 2; ++members)
      for (const bool delivers : {false, true})
        begin(w, members, delivers);
    if (w.progress.pending() < most)
      add(w);
    if (w.progress.is_under_way())
      go_on(w);
  }

  std::size_t states() const
  {
    return seen_.size();
  }

private:
  static void check(const walked& w)
  {
    BOOST_TEST(w.complete + (w.progress.is_under_way() ? 1 : 0) == w.rounds);
    BOOST_TEST((w.progress.stage() == group_stage::open) == (w.rounds == 0));
  }

  void begin(walked w, std::size_t members, bool delivers)
  {
    const bool joins = w.progress.is_under_way();
    BOOST_TEST(w.progress.begin(members) == !joins);
    if (joins)
      return;
    ++w.rounds;
    w.delivers = delivers;
    BOOST_TEST(w.progress.waiting() == members);
    from(w);
  }

  void add(walked w)
  {
    const std::size_t pending = w.progress.pending();
    const group_stage stage = w.progress.stage();
    const group_act act = w.progress.add();
    BOOST_TEST((act == group_act::nothing) == (stage == group_stage::open));
    BOOST_TEST((act == group_act::abort) == (stage == group_stage::aborting));
    BOOST_TEST(w.progress.pending() == pending + (w.progress.is_under_way() ? 1 : 0));
    from(w);
  }

  void go_on(const walked& w)
  {
    if (w.progress.waiting() != 0)
      start_one(w);
    if (w.progress.pending() != 0)
      ended(w, &group_progress::end_one);
    ended(w, &group_progress::settle);
    expire(w);
  }

  void start_one(walked w)
  {
    w.progress.start_one();
    from(w);
  }

  void ended(walked w, group_act (group_progress::*event)() noexcept)
  {
    const group_act act = (w.progress.*event)();
    const bool is_last = w.progress.pending() + w.progress.waiting() == 0;
    BOOST_TEST((act == group_act::complete) == is_last);
    BOOST_TEST(w.progress.is_under_way() == !is_last);
    w.complete += is_last ? 1 : 0;
    from(w);
  }

  // Twice at most, whatever the members do.
  void expire(walked w)
  {
    const bool aborts = w.delivers && w.progress.stage() == group_stage::closing;
    BOOST_TEST(
      (w.progress.expire(w.delivers) == (aborts ? group_act::abort : group_act::complete)));
    w.complete += aborts ? 0 : 1;
    from(w);
  }

  std::set<decltype(walked().key())> seen_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_group_stage)

BOOST_AUTO_TEST_CASE(every_round_is_over_exactly_once)
{
  walk w;
  w.from(walked());
  BOOST_TEST(w.states() > 40u);
}

BOOST_AUTO_TEST_CASE(time_that_passes_after_a_round_has_no_effect)
{
  group_progress p;
  BOOST_TEST((p.expire(true) == group_act::nothing));
  BOOST_TEST(p.begin(0));
  BOOST_TEST((p.settle() == group_act::complete));
  BOOST_TEST((p.expire(true) == group_act::nothing));
  BOOST_TEST((p.settle() == group_act::nothing));
}

BOOST_AUTO_TEST_SUITE_END()
