// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What a closer receives: of an object, through its handle, of a group, and of a release.

#include "fuzz/model.hpp"

namespace fuzz {

namespace {

using interlock::close_outcome;
using interlock::close_report;

bool waits(const close_way& w)
{
  return w.how == manner::deliver || w.how == manner::graceful;
}

bool same(const close_report& a, const close_report& b)
{
  return a.outcome == b.outcome && a.unsent == b.unsent && a.unacknowledged == b.unacknowledged
    && a.discarded == b.discarded && a.refused_writes == b.refused_writes
    && a.duration == b.duration;
}

/// delivery.qbk, "Outcomes": there is no connection when both sides have ended it before; or other code has received its
/// error.
bool may_be_unknown(const tenure& t)
{
  const bool is_ended = t.own_end && (t.peer_ended || t.peer_gone);
  return t.shared ? is_ended || t.peer_gone || t.peer_left : is_ended && t.what == kind::tcp;
}

/// G6, G8 and the tables of delivery.qbk.
bool is_allowed(const tenure& t, close_outcome o)
{
  if (t.borrowed || t.begun == tenure::start::given)
    return o == close_outcome::detached;
  const bool began_waiting = t.first_waits && t.can_deliver();
  switch (o)
  {
  case close_outcome::closed:
    return !t.first_aborts && (!began_waiting || t.hurries || may_be_unknown(t));
  case close_outcome::aborted:
    return t.aborts;
  case close_outcome::acknowledged:
    return began_waiting;
  case close_outcome::peer_closed:
    return began_waiting && t.graceful && (t.peer_ended || t.peer_gone);
  case close_outcome::reset:
    return !t.first_aborts && t.is_stream() && t.peer_gone;
  case close_outcome::timed_out:
    return began_waiting && t.short_time;
  case close_outcome::detached:
    return false;
  }
  return false;
}

} // namespace

/// Returns whether the caller has begun the close.
bool model::demand(tenure& t, const close_way& w)
{
  const bool waiting = waits(w) && w.milliseconds >= 0 && t.can_deliver();
  const bool begins = t.is_open();
  if (begins)
  {
    t.begun = tenure::start::asked;
    t.first_waits = waiting;
    t.first_aborts = w.how == manner::abort;
  }
  t.hurries |= !waiting;
  t.aborts |= w.how == manner::abort;
  t.graceful |= waiting && w.how == manner::graceful;
  t.short_time |= waiting && w.milliseconds != long_time;
  return begins;
}

call& model::closer(identity& i, const step& s)
{
  const bool begins = i.last != nullptr && demand(*i.last, s.way());
  call& c = add(s, i.last, !begins);
  if (begins)
    i.last->closed_at = c.at;
  c.way = &s.way();
  return c;
}

call& model::releaser(identity& i, const step& s)
{
  const bool was_open = i.is_open();
  if (was_open)
    given(*i.last);
  return add(s, i.last, !was_open);
}

// server.qbk: the members that are open, or closing. Shortly after the deadline the group aborts.
call& model::group_closer(const std::vector<identity*>& members, const step& s)
{
  for (identity* i : members)
    if (i->last != nullptr)
    {
      tenure& t = *i->last;
      group_.push_back(&t);
      ++group_most_;
      group_least_ += t.is_open() ? 1 : 0;
      if (demand(t, s.way()))
        t.closed_at = ++now_;
      t.aborts |= s.way().milliseconds != long_time;
    }
  call& c = add(s, nullptr, false);
  c.way = &s.way();
  return c;
}

// G7: partial and terminal of the caller that has begun the close; what else ends a wait.
void model::emitted(call& c, cancel_type type)
{
  if (c.told || c.of == nullptr || c.what != verb::async_close)
    return;
  if (c.refused || type == cancel_type::total)
  {
    c.let_go = true;
    c.must_let_go |= c.of->leases != 0;
  }
  else if (type == cancel_type::partial)
    c.of->hurries = true;
  else
    c.of->aborts = true;
}

void model::check_last_word(const call& c)
{
  if (c.of == nullptr)
    return;
  require("G5: the last word, although a handler of the object is left", c.of->handlers == 0);
  require("life: a closer is served while a lease is out", c.of->leases == 0);
}

void model::check_closer(call& c, const answer& a)
{
  if (a.error == code::aborted)
    return require("G7: a closer receives operation_aborted without a cancellation", c.let_go);
  require("G7: a caller that was let go still waits", !c.must_let_go);
  check_error_of_close(c, a);
  if (c.of == nullptr)
    return require("G7: a report of an object that was never opened",
      !a.report || same(*a.report, close_report()));
  check_last_word(c);
  c.of->over = true;
  if (a.report)
    check_report(*c.of, *a.report);
}

// delivery.qbk, "Which objects can deliver". A caller that joins, or comes later, may receive success.
void model::check_error_of_close(const call& c, const answer& a)
{
  const bool invalid = waits(*c.way) && c.way->milliseconds < 0;
  const bool unsupported = waits(*c.way) && c.of != nullptr && !c.of->can_deliver();
  if (a.error == code::success)
    require("delivery: a mode that makes no sense receives success",
      c.refused || !(invalid || unsupported));
  else if (a.error == code::invalid)
    require("delivery: invalid_argument", invalid);
  else if (a.error == code::not_supported)
    require("delivery: operation_not_supported", unsupported);
  else
    complain(std::string("G6: a closer receives ") + name_of(a.error));
}

void model::check_report(tenure& t, const close_report& r)
{
  if (t.report)
    return require("G7: two closers of one close receive different reports", same(*t.report, r));
  t.report = r;
  if (!is_allowed(t, r.outcome))
    complain(std::string("G8: the outcome is ") + to_string(r.outcome));
  check_counts(t, r);
}

// delivery.qbk, "The report".
void model::check_counts(const tenure& t, const close_report& r)
{
  const bool delivered = r.outcome == close_outcome::acknowledged
    || r.outcome == close_outcome::peer_closed;
  require("delivery: counts of a close that did not wait",
    t.first_waits || (r.unacknowledged == 0 && r.unsent == 0 && r.discarded == 0));
  require(
    "delivery: bytes are unacknowledged", !delivered || (r.unacknowledged == 0 && r.unsent == 0));
  require("delivery: more unsent than unacknowledged", r.unsent <= r.unacknowledged);
  require("G6: acknowledged, although the peer's application has not read everything",
    !delivered || t.what != kind::local || t.peer_read == t.written);
  require("delivery: more discarded than was left", r.discarded <= t.peer_sent - t.read);
  require("delivery: not all that the peer had sent was discarded",
    r.outcome != close_outcome::peer_closed || t.short_time || r.discarded == t.peer_sent - t.read);
  require("delivery: refused writes",
    r.refused_writes >= t.refused_least && r.refused_writes <= t.refused_most);
}

// life.qbk, "async_release".
void model::check_release(const call& c, const answer& a)
{
  expect("life: async_release", c.refused ? code::bad_descriptor : code::success, a.error);
  require("life: async_release gives another descriptor", a.fd == (c.refused ? -1 : c.of->fd));
  if (!c.refused)
    check_last_word(c);
}

void model::check_group(const call& c, const answer& a)
{
  const bool invalid = waits(*c.way) && c.way->milliseconds < 0;
  expect("groups: the error", invalid ? code::invalid : code::success, a.error);
  if (!a.tally)
    return;
  require("groups: how many members there are",
    a.tally->members() >= group_least_ && a.tally->members() <= group_most_);
  require("groups: a close(2) has failed", a.tally->failed == 0);
  bool leased = false, left = false;
  for (const tenure* t : group_)
  {
    leased |= t->leases != 0;
    left |= t->handlers != 0;
  }
  require("groups: none is unfinished, although a handler or a lease is left",
    a.tally->unfinished != 0 || !(left || leased));
}

} // namespace fuzz
