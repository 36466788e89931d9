// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What a context does about fork(2): a pure function of what it knows and of what happens.
//
// The library's threads are parked from the program's preparation to its end, and from the beginning to the end of
// every fork(2). A child has none of them, and only a copy of what they had to do: it adopts that once, when the
// program notifies the context of the fork, or before the context is used for the first time.

#ifndef INTERLOCK_DETAIL_CLOSING_FORK_STEP_HPP
#define INTERLOCK_DETAIL_CLOSING_FORK_STEP_HPP

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

enum class fork_event : unsigned char
{
  prepare, ///< notify_fork with fork_prepare.
  parent,  ///< notify_fork with fork_parent.
  child,   ///< notify_fork with fork_child.
  begin,   ///< fork(2) begins (pthread_atfork).
  end,     ///< fork(2) is over, in the parent.
  use      ///< An object of the context is about to be opened or closed, or a call on it to block.
};

enum class fork_act : unsigned char
{
  none,
  settle_and_park, ///< Lets the library's threads close what has been submitted, then parks them.
  park,
  resume,
  notify, ///< Notifies the context of the fork, which brings `child`. The event comes again.
  adopt   ///< Makes threads and locks anew, and submits again what the parent's threads had.
};

/// What a context knows, in one process.
struct fork_state
{
  bool prepared = false; ///< By the program, which has not said yet which process this is.
  bool forking = false;  ///< From `begin` on.
  bool foreign = false;  ///< A child that has not adopted.
};

struct fork_step
{
  fork_state next;
  fork_act act;
};

constexpr bool is_parked(fork_state s) noexcept
{
  return (s.prepared || s.forking) && !s.foreign;
}

/// There are no threads to be parked.
constexpr fork_step step_in_child(fork_state s, fork_event e) noexcept
{
  if (e == fork_event::child)
    return {fork_state(), fork_act::adopt};
  if (e != fork_event::begin && e != fork_event::end)
    return {s, fork_act::notify};
  s.forking = e == fork_event::begin;
  return {s, fork_act::none};
}

/// A preparation settles again what has been submitted after an earlier one, unless another thread is about to fork.
constexpr fork_act act_between(fork_state s, fork_state next, fork_event e) noexcept
{
  if (e == fork_event::prepare)
    return s.forking ? fork_act::none : fork_act::settle_and_park;
  if (is_parked(s) == is_parked(next))
    return fork_act::none;
  return is_parked(next) ? fork_act::park : fork_act::resume;
}

constexpr fork_step step_of(fork_state s, fork_event e) noexcept
{
  if (s.foreign)
    return step_in_child(s, e);
  fork_state next = s;
  if (e == fork_event::prepare)
    next.prepared = true;
  else if (e == fork_event::parent || e == fork_event::child)
    next.prepared = false;
  else if (e != fork_event::use)
    next.forking = e == fork_event::begin;
  return {next, act_between(s, next, e)};
}

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_FORK_STEP_HPP
