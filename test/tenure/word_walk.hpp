// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Walks every state that a tenure's word can reach, breadth first, over counts of few bits.
//
// Beside the word goes a ghost: what each holder holds, and what has been claimed in this life of the
// tenure. In each state every event is tried whose doer the ghost says is there. The ghost alone
// decides what the word must answer; the first answer, or state, that is another is the flaw.

#ifndef INTERLOCK_TEST_TENURE_WORD_WALK_HPP
#define INTERLOCK_TEST_TENURE_WORD_WALK_HPP

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>

#include <interlock/detail/tenure/word.hpp>

#include "word_ghost.hpp"

namespace support {

template <unsigned InsideBits, unsigned HandlerBits, unsigned WriteBits, unsigned LeaseBits>
class word_walk
{
public:
  word_walk()
  {
    visit({word::initial(), word_ghost()});
    while (!queue_.empty() && flaw_.empty())
    {
      const state s = queue_.front();
      queue_.pop_front();
      try_everything(s);
    }
  }

  /// Empty if there is none.
  const std::string& flaw() const
  {
    return flaw_;
  }

  std::size_t states() const
  {
    return seen_.size();
  }

  std::size_t transitions() const
  {
    return transitions_;
  }

private:
  using word = interlock::detail::basic_word<InsideBits, HandlerBits, WriteBits, LeaseBits>;
  using step = typename word::step;
  using duty = interlock::detail::duty;

  struct state
  {
    typename word::value w;
    word_ghost g;
  };

  static constexpr unsigned most_inside = (1u << InsideBits) - 1;
  static constexpr unsigned half_inside = 1u << (InsideBits - 1);
  static constexpr unsigned most_handlers = (1u << HandlerBits) - 1;
  static constexpr unsigned half_handlers = 1u << (HandlerBits - 1);
  static constexpr unsigned most_writes = (1u << WriteBits) - 1;
  static constexpr unsigned half_writes = 1u << (WriteBits - 1);
  static constexpr unsigned most_leases = (1u << LeaseBits) - 1;

  void try_everything(const state& s)
  {
    progress_ = false;
    try_newcomers(s);
    try_flush(s);
    try_leaving(s);
    try_handlers(s);
    try_close(s);
    try_leases(s);
    try_fork(s);
    try_object(s);
    if (!progress_ && !s.g.disposed)
      fail("nobody can bring the end nearer", s);
  }

  // Newcomers may come at any time, since a cancellation slot can outlive the tenure.
  void try_newcomers(const state& s)
  {
    const bool crowded = s.g.inside() >= half_inside || s.g.handlers() >= half_handlers;
    const duty answer = !s.g.admits() ? duty::refuse : crowded ? duty::overflow : duty::none;
    word_ghost g = s.g;
    ++g.calls;
    expect("enter", s, word::enter(s.w), answer, g);
    ++g.operations;
    expect("enter_with_handler", s, word::enter_with_handler(s.w), answer, g);
    --g.operations;
    ++g.writes;
    const bool many = answer == duty::none && s.g.writes >= half_writes;
    expect("enter_with_write", s, word::enter_with_write(s.w), many ? duty::overflow : answer, g);

    g = s.g;
    ++g.lookers;
    const duty held = s.g.disposed ? duty::refuse : full(s.g) ? duty::overflow : duty::none;
    expect("hold", s, word::hold(s.w), held, g);
  }

  // A write may be chained to one that is outstanding; what is outstanding may be cancelled.
  void try_flush(const state& s)
  {
    word_ghost g = s.g;
    ++g.lookers;
    ++g.writes;
    const bool no_room = full(s.g) || s.g.writes == most_writes;
    const duty chained = !s.g.in_flush() ? duty::refuse : no_room ? duty::overflow : duty::none;
    expect("chain_write", s, word::chain_write(s.w), chained, g);

    g = s.g;
    ++g.calls;
    const bool crowded = s.g.inside() >= half_inside || s.g.handlers() >= half_handlers;
    const duty entered = !s.g.admits() && !s.g.in_flush() ? duty::refuse
      : crowded                                           ? duty::overflow
                                                          : duty::none;
    expect("enter_to_cancel", s, word::enter_to_cancel(s.w), entered, g);
  }

  void try_leaving(const state& s)
  {
    for (unsigned word_ghost::*kind :
      {&word_ghost::calls, &word_ghost::lookers, &word_ghost::close_waiter, &word_ghost::finisher})
    {
      if (s.g.*kind == 0)
        continue;
      word_ghost g = s.g;
      --(g.*kind);
      const bool due = g.demanded && !g.detached && g.inside() == 0;
      expect("leave", s, word::leave(s.w), due ? duty::detach : at_last(g), g);
    }
    if (s.g.calls)
    {
      word_ghost g = s.g;
      g.waiting = 1;
      expect("announce_blocked_thread", s, word::announce_blocked_thread(s.w), duty::none, g);
    }
  }

  void try_handlers(const state& s)
  {
    for (unsigned word_ghost::*kind :
      {&word_ghost::operations, &word_ghost::handler_counts, &word_ghost::predecessors})
    {
      if (s.g.*kind == 0)
        continue;
      word_ghost g = s.g;
      --(g.*kind);
      const bool last = g.reported && !g.finished && g.handlers() == 0;
      expect("handler_done", s, word::handler_done(s.w), last ? duty::finish : at_last(g), g);
    }
    if (s.g.writes)
    {
      word_ghost g = s.g;
      --g.writes;
      const bool flushed = s.g.in_flush() && g.writes == 0;
      const bool last = g.reported && !g.finished && g.handlers() == 0;
      g.demanded |= flushed;
      expect("write_done", s, word::write_done(s.w),
        flushed && !g.inside() ? duty::detach
          : last               ? duty::finish
                               : at_last(g),
        g);
      g.demanded |= s.g.in_flush();
      expect("write_lost", s, word::write_lost(s.w),
        s.g.in_flush() && !g.inside() ? duty::detach
          : last                      ? duty::finish
                                      : at_last(g),
        g);
    }
    // A handler that runs adds to itself in any phase; it counts as a predecessor here.
    if (s.g.opener || s.g.handlers() || (s.g.detachable() && s.g.held()))
    {
      word_ghost g = s.g;
      ++g.predecessors;
      expect("add_handler", s, word::add_handler(s.w), full(s.g) ? duty::overflow : duty::none, g);
    }
    if (s.g.writes)
    {
      word_ghost g = s.g;
      ++g.writes;
      const bool no_room = full(s.g) || s.g.writes == most_writes;
      expect("copy_write", s, word::copy_write(s.w), no_room ? duty::overflow : duty::none, g);
    }
  }

  void try_close(const state& s)
  {
    // A closer that has entered counts as a looker until it leads.
    if (s.g.lookers && s.g.published)
      try_closer(s);
    // Not only holders: while the phase is closing the worker watches.
    if (s.g.held())
    {
      word_ghost g = s.g;
      g.demanded |= g.detachable();
      const bool now = s.g.detachable() && s.g.inside() == 0;
      expect("demand", s, word::demand(s.w), now ? duty::detach : duty::none, g);
      if (s.g.in_flush())
        expect("demand_unless_flushing", s, word::demand_unless_flushing(s.w), duty::none, s.g);
      else
        expect("demand_unless_flushing", s, word::demand_unless_flushing(s.w),
          now ? duty::detach : duty::none, g);
      if (s.g.closing && s.g.detachable() && !s.g.in_flush())
        expect("demand_overdue", s, word::demand_overdue(s.w), now ? duty::detach : duty::none, g);
      else
        expect("demand_overdue", s, word::demand_overdue(s.w), duty::none, s.g);
    }
    if (s.g.claimant && s.g.parted)
    {
      word_ghost g = s.g;
      g.claimant = 0;
      g.reported = 1;
      expect("report", s, word::report(s.w), g.handlers() ? duty::none : duty::finish, g);
    }
  }

  // No thread that is inside before the detach goes on, but for the thread that forks, which may be inside
  // itself; lookers at what is over are memory, not threads.
  void try_fork(const state& s)
  {
    word_ghost g = s.g;
    const bool due = g.demanded && !g.detached;
    if (g.published && !g.detached)
      g.calls = g.lookers = g.close_waiter = g.waiting = 0;
    expect("forget_inside", s, word::forget_inside(s.w), due ? duty::detach : duty::none, g);
    if (!g.published || g.detached || s.g.calls == 0)
      return;
    g.calls = 1;
    expect("forget_others_inside", s, word::forget_others_inside(s.w), duty::none, g);
  }

  void try_leases(const state& s)
  {
    if (s.g.calls)
    {
      word_ghost g = s.g;
      ++g.leases;
      const bool full = s.g.leases == most_leases;
      expect("lend", s, word::lend(s.w), full ? duty::overflow : duty::none, g);
    }
    if (s.g.leases)
    {
      word_ghost g = s.g;
      --g.leases;
      const bool last = g.lent && g.leases == 0;
      g.lent &= !last;
      g.claimant += last;
      expect("lease_done", s, word::lease_done(s.w), last ? duty::close : duty::none, g);
    }
    if (s.g.claimant && !s.g.parted)
    {
      word_ghost g = s.g;
      g.lent = g.leases != 0;
      g.claimant -= g.lent;
      expect("part", s, word::part(s.w), g.lent ? duty::none : duty::close, g);
    }
  }

  void try_object(const state& s)
  {
    word_ghost g = s.g;
    if (s.g.object)
    {
      const duty entered = !g.published ? duty::refuse : full(g) ? duty::overflow : duty::none;
      ++g.lookers;
      expect("enter_to_close", s, word::enter_to_close(s.w), entered, g);
      g = s.g;
      const duty given = !g.admits() ? duty::refuse
        : g.inside() || g.leases     ? duty::busy
                                     : duty::detach;
      expect("give_out", s, word::give_out(s.w), given, g);
    }
    if (s.g.opener)
    {
      g.opener = 0;
      expect("giving back", s, {s.w, duty::none}, duty::none, g);
      g.published = 1;
      expect("publish", s, word::publish(s.w), duty::none, g);
    }
    else if (s.g.object)
    {
      const bool free = g.at_rest() && !g.inside() && !g.handlers();
      expect("recycle", s, word::recycle(s.w), free ? duty::none : duty::busy, word_ghost());
      g.object = 0;
      // The object demands the detach before it goes.
      if (!s.g.detachable())
        expect("disown", s, word::disown(s.w), at_last(g), g);
    }
  }

  void try_closer(const state& s)
  {
    word_ghost g = s.g;
    const duty answer = !s.g.admits()      ? duty::join
      : s.g.handlers() > most_handlers - 2 ? duty::overflow
                                           : duty::none;
    if (answer == duty::none)
    {
      --g.lookers;
      g.close_waiter = 1;
      g.handler_counts = 2;
    }
    const bool flushes = answer == duty::none && s.g.writes != 0;
    g.flushing |= flushes;
    g.closing |= answer == duty::none && !flushes;
    expect("begin_flush", s, word::begin_flush(s.w), flushes ? duty::flush : answer, g);
    g.flushing = s.g.flushing;
    g.closing |= flushes;
    expect("begin_close", s, word::begin_close(s.w), answer, g);
  }

  // A finish needs one inside, a first closer two handlers.
  static bool full(const word_ghost& g)
  {
    return g.inside() >= most_inside - 1 || g.handlers() > most_handlers - 2;
  }

  // The duty of a holder that has let go of something.
  static duty at_last(const word_ghost& g)
  {
    return !g.held() && g.at_rest() ? duty::dispose : duty::none;
  }

  void expect(const char* event, const state& before, step answer, duty right, word_ghost after)
  {
    ++transitions_;
    const bool refused = right == duty::refuse || right == duty::overflow || right == duty::busy;
    if (answer.then != right)
      return fail(event, before);
    if (refused)
      after = before.g;
    if (refused && answer.next != before.w)
      return fail(event, before);
    if (!claim(right, after) || !consistent({answer.next, after}))
      return fail(event, before);
    progress_ |= after.distance_from_end() < before.g.distance_from_end();
    visit({answer.next, after});
  }

  // What falls to the thread that made the transition; false if it is not due, or has been claimed before.
  static bool claim(duty d, word_ghost& g)
  {
    if (d == duty::detach)
      return g.inside() == 0 && g.published && !g.detached++ && !g.claimant++;
    if (d == duty::close)
      return g.leases == 0 && g.detached && !g.parted++;
    if (d == duty::finish)
      return g.handlers() == 0 && g.reported && !g.finished++ && !g.finisher++;
    if (d == duty::dispose)
      return !g.held() && g.at_rest() && !g.disposed++;
    return true;
  }

  static bool consistent(const state& s)
  {
    const word_ghost& g = s.g;
    return word::phase_of(s.w) == g.phase() && word::inside(s.w) == g.inside()
      && word::handlers(s.w) == g.handlers() && word::writes(s.w) == g.writes
      && word::leases(s.w) == g.leases && (!g.in_flush() || g.writes != 0)
      && word::owned(s.w) == (g.object != 0) && word::has_blocked_threads(s.w) == (g.waiting != 0)
      && word::dead(s.w) == (g.disposed != 0) && (!g.disposed || !g.held())
      && (!g.detached || g.claimant + g.lent + g.reported == 1) && (!g.reported || g.parted)
      && (!g.parted || g.leases == 0) && (!g.finished || g.reported) && g.inside() <= most_inside
      && g.handlers() <= most_handlers
      // Newcomers stay out of the closers' half; writes may be chained into theirs.
      && g.calls <= half_inside && g.operations <= half_handlers;
  }

  void visit(const state& s)
  {
    const auto known = seen_.emplace(s.g.key(), s.w);
    if (known.second)
      queue_.push_back(s);
    else if (known.first->second != s.w)
      fail("two words of one meaning", s);
  }

  void fail(const char* event, const state& s)
  {
    if (!flaw_.empty())
      return;
    const word_ghost& g = s.g;
    flaw_ = std::string(event) + " in phase " + std::to_string(unsigned(g.phase()));
    for (unsigned n : {g.calls, g.lookers, g.close_waiter, g.finisher, g.writes, g.operations,
           g.handler_counts, g.predecessors, g.object, g.opener, g.claimant, g.leases, g.waiting})
      flaw_ += ", " + std::to_string(n);
  }

  std::deque<state> queue_;
  std::unordered_map<std::uint64_t, typename word::value> seen_;
  std::size_t transitions_ = 0;
  bool progress_ = false;
  std::string flaw_;
};

} // namespace support

#endif // INTERLOCK_TEST_TENURE_WORD_WALK_HPP
