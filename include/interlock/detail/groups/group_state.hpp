// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What a group knows: its members, its settings, and the round under way. The mutex of the group guards it.
//
// No function here calls, or destroys, what may be the program's: what may be a last reference is given to the caller.

#ifndef INTERLOCK_DETAIL_GROUPS_GROUP_STATE_HPP
#define INTERLOCK_DETAIL_GROUPS_GROUP_STATE_HPP

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <interlock/close_mode.hpp>
#include <interlock/close_tally.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/groups/group_member.hpp>
#include <interlock/detail/groups/group_members.hpp>
#include <interlock/detail/groups/group_round.hpp>
#include <interlock/detail/groups/group_stage.hpp>
#include <interlock/detail/groups/group_timers.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

using round_pointer = std::shared_ptr<group_round>;

/// A tally, numbered in the order in which they have come about.
struct numbered_tally
{
  std::uint64_t number = 0;
  close_tally tally;
};

/// What there is to be told of a round: its tally, and, when it is over, to its callers.
struct round_news
{
  numbered_tally tally; // without a number: there is nothing new
  std::vector<group_caller> callers;
  std::array<group_timers::timer, 2> timers;
};

/// What an expired timer means.
enum class expired : unsigned char
{
  nothing, ///< The round is over, or has not begun.
  early,   ///< The round lasts longer by now: it needs a timer.
  aborts   ///< Every member is to be aborted; so it does.
};

class group_state
{
public:
  using clock = group_round::clock;

  // --- Settings.

  void spread(clock::duration window) noexcept
  {
    window_ = window;
  }

  void abort_wait(clock::duration wait) noexcept
  {
    abort_wait_ = std::clamp<clock::duration>(
      wait, clock::duration::zero(), close_mode::longest_timeout());
  }

  group_members members;

  // --- The round under way.

  caller_number new_caller() noexcept
  {
    return next_caller_++;
  }

  /// Null: there is none.
  round_pointer round() const noexcept
  {
    return round_.lock();
  }

  bool is_current(const round_pointer& round) const noexcept
  {
    return round && !round_.owner_before(round) && !round.owner_before(round_);
  }

  /// False: another round is under way. What throws has no effect.
  bool begin(const round_pointer& round, group_caller& leader)
  {
    if (!round_.expired())
      return false;
    round->callers.reserve(1);
    round->take(members.in_use());
    round->leader = leader.number;
    round->callers.push_back(std::move(leader));
    round_ = round;
    mode_ = round->mode;
    stage_ = group_progress(); // also after a round that has ended with its execution context
    stage_.begin(round->to_start);
    return true;
  }

  /// Of a round that has not begun.
  clock::time_point first_expiry(const group_round& round) const noexcept
  {
    return round.end_of_wait(abort_wait_);
  }

  /// False: the mode is not stronger than that of the round.
  bool overtake(group_round& round, const close_mode& mode) noexcept
  {
    if (!stronger(mode, round.mode))
      return false;
    round.mode = mode;
    round.mode_since = clock::now();
    if (!aborts())
      round.expires_at = round.end_of_wait(abort_wait_);
    mode_ = mode;
    return true;
  }

  /// The mode of closes that begin now.
  close_mode mode_now(const group_round& round) const noexcept
  {
    return aborts() ? close_mode::abort() : round.mode_now(clock::now());
  }

  // --- Its members.

  /// One more member. Null: nothing has to be closed, because the group has not been closed. The round under way, if
  /// there is one, has room.
  group_start enter(const round_pointer& round, const group_member_pointer& member) noexcept
  {
    group_start s;
    if (round)
      s.number = round->enter(member);
    const group_act act = stage_.add();
    if (act == group_act::nothing)
      return s;
    s.member = member;
    s.round = round;
    s.mode = round ? mode_now(*round) : act == group_act::abort ? close_mode::abort() : mode_;
    return s;
  }

  /// Null: no other is due yet.
  group_start next_due(const round_pointer& round, clock::time_point now) noexcept
  {
    group_start s;
    if (!is_current(round) || !round->is_next_due(now, aborts() ? clock::duration() : window_))
      return s;
    stage_.start_one();
    s.number = round->started++;
    s.member = round->members[s.number].member;
    s.round = round;
    s.mode = mode_now(*round);
    return s;
  }

  /// How long it is until the next is due. Zero: none is left.
  clock::duration pause(const round_pointer& round) const noexcept
  {
    if (!is_current(round) || round->started == round->to_start)
      return clock::duration::zero();
    const clock::duration share = window_ / static_cast<clock::rep>(round->to_spread());
    return std::max<clock::duration>(share, std::chrono::milliseconds(1));
  }

  // --- Transitions.

  /// A member has ended, and is in the tally.
  round_news end_one(group_round& round) noexcept
  {
    const group_act act = stage_.end_one();
    return after(act == group_act::nothing ? group_act::tell : act, round);
  }

  round_news settle(const round_pointer& round) noexcept
  {
    return is_current(round) ? after(stage_.settle(), *round) : round_news();
  }

  /// The round ends, whatever its members do.
  round_news give_up(const round_pointer& round) noexcept
  {
    return is_current(round) ? after(stage_.give_up(), *round) : round_news();
  }

  /// A timer has expired.
  expired expire(const round_pointer& round, round_news& news) noexcept
  {
    if (!is_current(round))
    {
      round->expired_early = true; // or it is over, and that has no effect
      return expired::nothing;
    }
    if (clock::now() < round->expires_at)
      return expired::early;
    const group_act act = stage_.expire(round->mode.delivers());
    round->expires_at = clock::now() + abort_wait_;
    news = after(act, *round);
    return act == group_act::abort ? expired::aborts : expired::nothing;
  }

private:
  bool aborts() const noexcept
  {
    return stage_.stage() == group_stage::aborting;
  }

  round_news after(group_act act, group_round& round) noexcept
  {
    round_news news;
    if (act == group_act::complete)
    {
      round.tally.unfinished += stage_.pending() + stage_.waiting();
      for (const group_caller& c : round.callers)
        *c.told = round.tally;
      news.callers = std::move(round.callers);
      news.timers = {round.expiry, round.next_start};
      round_.reset();
    }
    if (act == group_act::complete || act == group_act::tell)
      news.tally = {++tallies_, round.tally};
    return news;
  }

  group_progress stage_;
  std::weak_ptr<group_round> round_; // under way
  caller_number next_caller_ = 0;
  std::uint64_t tallies_ = 0;
  close_mode mode_ = close_mode::immediate(); // of the last round
  clock::duration window_{};
  clock::duration abort_wait_ = std::chrono::seconds(1);
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_GROUPS_GROUP_STATE_HPP
