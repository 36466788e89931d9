// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// How the close of a group goes on, as pure functions: what has happened to its members, and what is to be done next.
//
// A round begins with the first close, and is over once: when the last member has ended, or, whatever its members do,
// when the time after the abort has passed. What is added during a round belongs to it. After a round the group stays
// closed: what is added is closed, and counts in no round.

#ifndef INTERLOCK_DETAIL_GROUPS_GROUP_STAGE_HPP
#define INTERLOCK_DETAIL_GROUPS_GROUP_STAGE_HPP

#include <cstddef>

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

enum class group_stage : unsigned char
{
  open,     ///< No close has begun.
  closing,  ///< Until the deadline.
  aborting, ///< From the deadline on.
  over      ///< The round is complete.
};

/// What is to be done after a transition.
enum class group_act : unsigned char
{
  nothing,
  start, ///< Close the one that was added.
  abort, ///< Abort every member that has not ended, and those that wait; or the one that was added.
  tell,  ///< Tell how far the round is.
  complete ///< Tell the callers of the round, too.
};

class group_progress
{
public:
  group_stage stage() const noexcept
  {
    return stage_;
  }

  /// Members that have not been told to close yet.
  std::size_t waiting() const noexcept
  {
    return waiting_;
  }

  /// Members that close.
  std::size_t pending() const noexcept
  {
    return pending_;
  }

  bool is_under_way() const noexcept
  {
    return stage_ == group_stage::closing || stage_ == group_stage::aborting;
  }

  /// A close of the group that has `members`. False: a round is under way, and is joined.
  bool begin(std::size_t members) noexcept
  {
    if (is_under_way())
      return false;
    stage_ = group_stage::closing;
    waiting_ = members;
    pending_ = 0;
    return true;
  }

  /// An object is added, which may have to be closed at once.
  group_act add() noexcept
  {
    if (stage_ == group_stage::open)
      return group_act::nothing;
    if (is_under_way())
      ++pending_;
    return stage_ == group_stage::aborting ? group_act::abort : group_act::start;
  }

  /// One of the waiting is told to close.
  void start_one() noexcept
  {
    --waiting_;
    ++pending_;
  }

  /// A member of the round under way has ended.
  group_act end_one() noexcept
  {
    --pending_;
    return settle();
  }

  /// The waiting have been told to close as far as it is time.
  group_act settle() noexcept
  {
    return is_under_way() && pending_ + waiting_ == 0 ? finish() : group_act::nothing;
  }

  /// A time has passed: that until the abort, or that after it. A round that does not deliver aborts nothing.
  group_act expire(bool delivers) noexcept
  {
    if (!is_under_way())
      return group_act::nothing;
    if (stage_ == group_stage::aborting || !delivers)
      return finish();
    stage_ = group_stage::aborting;
    return group_act::abort;
  }

  /// The round ends, whatever its members do.
  group_act give_up() noexcept
  {
    return is_under_way() ? finish() : group_act::nothing;
  }

private:
  group_act finish() noexcept
  {
    stage_ = group_stage::over;
    return group_act::complete;
  }

  group_stage stage_ = group_stage::open;
  std::size_t waiting_ = 0;
  std::size_t pending_ = 0;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_GROUPS_GROUP_STAGE_HPP
