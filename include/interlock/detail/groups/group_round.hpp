// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// One close of a group: its callers, and what they are told.
//
// The wait of its timer owns a round, so that the callers' handlers are destroyed with the execution context of the
// group if they are not called. The mutex of the group guards it.

#ifndef INTERLOCK_DETAIL_GROUPS_GROUP_ROUND_HPP
#define INTERLOCK_DETAIL_GROUPS_GROUP_ROUND_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <boost/system/error_code.hpp>

#include <interlock/close_mode.hpp>
#include <interlock/close_tally.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/core/close_handler.hpp>
#include <interlock/detail/core/object_base.hpp>
#include <interlock/detail/core/remaining_mode.hpp>
#include <interlock/detail/groups/group_member.hpp>
#include <interlock/detail/groups/group_timers.hpp>
#include <interlock/detail/sys.hpp>
#include <interlock/detail/tenure/close_waiter.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// The result of a close of a group: the caller's own error, unless it is told another one.
class tally_result : public default_policy
{
public:
  /// Not as the close of one object is: see group_cancellation.
  static constexpr bool can_be_cancelled = false;

  static constexpr const char* object = "close_group";

  tally_result(
    std::shared_ptr<const close_tally> tally, const boost::system::error_code& ec) noexcept
    : tally_(std::move(tally)),
      ec_(ec)
  {
  }

  boost::system::error_code code(const close_verdict& v) const noexcept
  {
    return v.ec ? v.ec : ec_;
  }

  bound_values<boost::system::error_code, close_tally> bind(
    const boost::system::error_code& ec, const close_verdict& /*v*/) const
  {
    return bound_values<boost::system::error_code, close_tally>(ec, *tally_);
  }

private:
  std::shared_ptr<const close_tally> tally_;
  boost::system::error_code ec_;
};

/// Identifies a caller of a round. The first leads it.
using caller_number = std::uint32_t;

struct group_caller
{
  caller_number number = 0;
  std::shared_ptr<close_tally> told; // what the waiter's handler receives
  close_waiter_pointer waiter;
};

/// A member of a round. Null once its close is over. The mark is set once that has begun.
struct round_member
{
  group_member_pointer member;
  tenure_mark mark;
};

class group_round
{
public:
  using clock = sys::clock;

  group_round(const close_mode& m, clock::time_point now)
    : mode(m),
      mode_since(now),
      begin(now)
  {
  }

  clock::time_point end_of_mode() const noexcept
  {
    return mode_since + mode.timeout();
  }

  /// When members that have not ended are aborted, or given up by `wait` after they were told to close at once. Those
  /// that end by the deadline are waited for a little longer.
  clock::time_point end_of_wait(clock::duration wait) const noexcept
  {
    return end_of_mode() + (mode.delivers() ? settling : wait);
  }

  /// The mode with what is left of its time.
  close_mode mode_now(clock::time_point now) const noexcept
  {
    return remaining_mode(mode, end_of_mode() - now);
  }

  /// The members with which the round begins, the acceptors first.
  void take(const std::vector<group_member_pointer>& all)
  {
    members.reserve(all.size());
    for (const group_member_pointer& m : all)
      members.push_back({m, tenure_mark()});
    to_start = all.size();
    const auto acceptor = [](const group_member_pointer& m) { return m->is_acceptor(); };
    acceptors = static_cast<std::size_t>(std::count_if(all.begin(), all.end(), acceptor));
  }

  /// Lets one member more be entered without an exception.
  void make_room()
  {
    if (members.size() == members.capacity())
      members.reserve(2 * members.size() + 1);
  }

  /// Numbers a member that is told to close. There is room for it.
  std::size_t enter(const group_member_pointer& member) noexcept
  {
    members.push_back({member, tenure_mark()});
    return members.size() - 1;
  }

  /// Whether one is to be started by now, if all but the acceptors are spread over the window.
  bool is_next_due(clock::time_point now, clock::duration window) const noexcept
  {
    if (started == to_start)
      return false;
    const clock::duration passed = now - begin;
    if (started < acceptors || passed >= window || !mode.delivers())
      return true;
    const double share = std::chrono::duration<double>(passed) / window;
    return static_cast<double>(started - acceptors) <= share * static_cast<double>(to_spread());
  }

  std::size_t to_spread() const noexcept
  {
    return to_start - acceptors;
  }

  /// One that waits no longer. Without a waiter: it has been told already.
  group_caller take_caller(caller_number number)
  {
    const auto found = std::find_if(callers.begin(), callers.end(),
      [number](const group_caller& c) { return c.number == number; });
    if (found == callers.end())
      return group_caller();
    group_caller taken = std::move(*found);
    callers.erase(found);
    *taken.told = tally;
    return taken;
  }

  close_mode mode;
  clock::time_point mode_since;
  const clock::time_point begin;
  clock::time_point expires_at; // a timer that was made for an earlier time has no effect
  close_tally tally;
  std::vector<group_caller> callers;
  caller_number leader = 0;
  std::vector<round_member> members; // by their number
  std::size_t to_start = 0;          // those that the group had when the round began: the first
  std::size_t acceptors = 0;         // of them, again the first
  std::size_t started = 0;           // of them
  group_timers::timer expiry;        // until the abort, or until the end after it
  group_timers::timer next_start;
  bool expired_early = false; // before the round has begun, without effect

private:
  static constexpr clock::duration settling = std::chrono::milliseconds(100);
};

/// A member whose close begins. None without a member.
struct group_start
{
  group_member_pointer member;
  std::weak_ptr<group_round> round; // empty: it counts in none
  std::size_t number = 0;
  close_mode mode = close_mode::immediate();
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_GROUPS_GROUP_ROUND_HPP
