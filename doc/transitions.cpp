// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Prints the transitions of the tenure's word as a table in quickbook, but for the one of a forked
// child, forget_inside. The table is found by trying: every word that can be reached with narrow
// counts is put through every transition that a thread may make then. A condition stands in a row
// only if it holds for exactly the words of that row.
// Ends with 1 if some words cannot be told apart so: the table would not be the truth.

#include <interlock/detail/tenure/word.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

namespace {

using interlock::detail::duty;
using interlock::detail::phase;
using word = interlock::detail::basic_word<3, 3, 2, 2>;
using value = word::value;
using words = std::set<value>;

constexpr value half = 4;        // of a count of three bits: newcomers are refused
constexpr value reserve = 6;     // closers are refused as well
constexpr value half_writes = 2; // of two bits: newcomers are refused
constexpr value all_writes = 3;  // that two bits can count
constexpr value all_leases = 3;  // that two bits can count

const char* name_of(phase p)
{
  switch (p)
  {
  case phase::open:
    return "open";
  case phase::flushing:
    return "flushing";
  case phase::closing:
    return "closing";
  case phase::due:
    return "due";
  case phase::detached:
    return "detached";
  case phase::leased:
    return "leased";
  case phase::closed:
    return "closed";
  case phase::ended:
    return "ended";
  case phase::vacant:
    return "vacant";
  }
  throw std::logic_error("a phase without a name");
}

const char* name_of(duty d)
{
  switch (d)
  {
  case duty::none:
    return "";
  case duty::detach:
    return "detach";
  case duty::close:
    return "close";
  case duty::finish:
    return "finish";
  case duty::dispose:
    return "dispose";
  case duty::refuse:
    return "refuse";
  case duty::overflow:
    return "overflow";
  case duty::join:
    return "join";
  case duty::flush:
    return "flush";
  case duty::busy:
    return "busy";
  }
  throw std::logic_error("a duty without a name");
}

constexpr phase all_phases[] = {phase::vacant, phase::open, phase::flushing, phase::closing,
  phase::due, phase::detached, phase::leased, phase::closed, phase::ended};

using predicate = bool (*)(value);

struct condition
{
  const char* text;
  predicate holds;
};

value holders(value w)
{
  return word::inside(w) + word::handlers(w) + (word::owned(w) ? 1 : 0);
}

bool is_held(value w)
{
  return holders(w) != 0;
}

bool is_used(value w)
{
  return word::inside(w) != 0 || word::leases(w) != 0;
}

bool has_many_handlers(value w)
{
  return word::handlers(w) >= reserve;
}

bool is_full(value w)
{
  return word::inside(w) >= reserve || has_many_handlers(w);
}

bool is_crowded(value w)
{
  return word::inside(w) >= half || word::handlers(w) >= half;
}

bool is_last_write(value w)
{
  return word::writes(w) == 1;
}

// The first that fits is taken.
const condition conditions[] = {
  {"the last holder", [](value w) { return holders(w) == 1; }},
  {"there are other holders", [](value w) { return holders(w) > 1; }},
  {"nothing holds it", [](value w) { return !is_held(w); }},
  {"no thread is inside", [](value w) { return word::inside(w) == 0; }},
  {"threads are inside", [](value w) { return word::inside(w) != 0; }},
  {"the last one inside", [](value w) { return word::inside(w) == 1; }},
  {"others are inside", [](value w) { return word::inside(w) > 1; }},
  {"no handler is outstanding", [](value w) { return word::handlers(w) == 0; }},
  {"handlers are outstanding", [](value w) { return word::handlers(w) != 0; }},
  {"the last handler", [](value w) { return word::handlers(w) == 1; }},
  {"other handlers are outstanding", [](value w) { return word::handlers(w) > 1; }},
  {"no lease exists", [](value w) { return word::leases(w) == 0; }},
  {"leases exist", [](value w) { return word::leases(w) != 0; }},
  {"the last write, and no thread is inside",
    [](value w) { return is_last_write(w) && word::inside(w) == 0; }},
  {"the last write, and threads are inside",
    [](value w) { return is_last_write(w) && word::inside(w) != 0; }},
  {"other writes are outstanding", [](value w) { return word::writes(w) > 1; }},
  {"the last lease", [](value w) { return word::leases(w) == 1; }},
  {"there are other leases", [](value w) { return word::leases(w) > 1; }},
  {"no thread is inside, and no lease exists", [](value w) { return !is_used(w); }},
  {"threads are inside, or leases exist", &is_used},
  {"the count of leases is full", [](value w) { return word::leases(w) == all_leases; }},
  {"the count of leases is not full", [](value w) { return word::leases(w) < all_leases; }},
  {"inside or handlers: half of the width reached", &is_crowded},
  {"inside and handlers: below half of the width", [](value w) { return !is_crowded(w); }},
  {"inside, handlers or writes: half of the width reached",
    [](value w) { return is_crowded(w) || word::writes(w) >= half_writes; }},
  {"inside, handlers and writes: below half of the width",
    [](value w) { return !is_crowded(w) && word::writes(w) < half_writes; }},
  {"inside or handlers: full", &is_full},
  {"inside and handlers: not full", [](value w) { return !is_full(w); }},
  {"inside, handlers or writes: full",
    [](value w) { return is_full(w) || word::writes(w) == all_writes; }},
  {"inside, handlers and writes: not full",
    [](value w) { return !is_full(w) && word::writes(w) < all_writes; }},
  {"handlers: full", &has_many_handlers},
  {"handlers: not full", [](value w) { return !has_many_handlers(w); }},
  {"handlers: not full, and a write is outstanding",
    [](value w) { return !has_many_handlers(w) && word::writes(w) != 0; }},
  {"handlers: not full, and no write is outstanding",
    [](value w) { return !has_many_handlers(w) && word::writes(w) == 0; }},
  {"something holds it, and inside and handlers: not full",
    [](value w) { return is_held(w) && !is_full(w); }},
};

bool is_entered(value w)
{
  return word::inside(w) != 0 && word::phase_of(w) != phase::vacant;
}

struct transition
{
  const char* name;
  word::step (*make)(value) noexcept;
  predicate possible; // a thread is there that may make it
};

const transition transitions[] = {
  {"publish", &word::publish,
    [](value w) { return word::owned(w) && word::phase_of(w) == phase::vacant; }},
  {"enter", &word::enter, &is_held},
  {"enter_with_handler", &word::enter_with_handler, &is_held},
  {"enter_with_write", &word::enter_with_write, &is_held},
  {"enter_to_cancel", &word::enter_to_cancel, &is_held},
  {"enter_to_close", &word::enter_to_close, &is_held},
  {"chain_write", &word::chain_write, &is_held},
  {"leave", &word::leave, [](value w) { return word::inside(w) != 0; }},
  {"handler_done", &word::handler_done,
    [](value w) { return word::handlers(w) > word::writes(w); }},
  {"write_done", &word::write_done, [](value w) { return word::writes(w) != 0; }},
  {"write_lost", &word::write_lost, [](value w) { return word::writes(w) != 0; }},
  // A closer that has entered.
  {"begin_close", &word::begin_close, &is_entered},
  {"begin_flush", &word::begin_flush, &is_entered},
  {"demand", &word::demand, &is_held},
  {"demand_unless_flushing", &word::demand_unless_flushing, &is_held},
  {"demand_overdue", &word::demand_overdue, &is_held},
  // Whoever is inside, also when the detach has been asked for since.
  {"lend", &word::lend,
    [](value w) { return word::inside(w) != 0 && word::phase_of(w) <= phase::due; }},
  {"part", &word::part, [](value w) { return word::phase_of(w) == phase::detached; }},
  {"lease_done", &word::lease_done, [](value w) { return word::leases(w) != 0; }},
  {"give_out", &word::give_out, &is_held},
  // The claimant parts with the descriptor first, and not as long as there is a lease.
  {"report", &word::report,
    [](value w) { return word::phase_of(w) == phase::detached && word::leases(w) == 0; }},
  // A destructor has demanded the detach by then.
  {"disown", &word::disown,
    [](value w) { return word::owned(w) && word::phase_of(w) > phase::closing; }},
  {"recycle", &word::recycle, [](value w) { return word::owned(w); }},
  {"hold", &word::hold, [](value) { return true; }},
  // The successor in a converting move is vacant, and its mover's; it may be opened in between.
  {"add_handler", &word::add_handler,
    [](value w)
    {
      return word::owned(w)
        && (word::phase_of(w) == phase::vacant || word::phase_of(w) == phase::open);
    }},
  {"copy_write", &word::copy_write, [](value w) { return word::writes(w) != 0; }},
};

words reachable()
{
  words seen;
  std::vector<value> left{word::initial()};
  while (!left.empty())
  {
    const value w = left.back();
    left.pop_back();
    if (!seen.insert(w).second)
      continue;
    for (const transition& t : transitions)
      if (t.possible(w))
        left.push_back(t.make(w).next);
  }
  return seen;
}

struct outcome
{
  duty then;
  phase next;
  std::int64_t inside;
  std::int64_t handlers;
  std::int64_t writes;
  std::int64_t leases;

  auto all() const
  {
    return std::tie(then, next, inside, handlers, writes, leases);
  }

  bool operator<(const outcome& o) const
  {
    return all() < o.all();
  }
};

outcome outcome_of(const transition& t, value w)
{
  const word::step s = t.make(w);
  const auto change = [](value before, value after)
  { return static_cast<std::int64_t>(after) - static_cast<std::int64_t>(before); };
  return {s.then, word::phase_of(s.next), change(word::inside(w), word::inside(s.next)),
    change(word::handlers(w), word::handlers(s.next)),
    change(word::writes(w), word::writes(s.next)), change(word::leases(w), word::leases(s.next))};
}

// What tells `some` from the rest of `all`; empty if `some` is all.
std::string condition_for(const words& some, const words& all)
{
  if (some == all)
    return "";
  for (const condition& c : conditions)
    if (std::all_of(
          all.begin(), all.end(), [&](value w) { return c.holds(w) == (some.count(w) != 0); }))
      return c.text;
  throw std::logic_error("no condition tells the words of a row from the others");
}

// Rows that differ in nothing but the phase are one.
struct row
{
  std::string when;
  std::string next; // empty: the phase remains
  outcome what;
  std::string phases;
};

void add(std::vector<row>& rows, phase p, const std::string& when, const outcome& o)
{
  const std::string next = o.next == p ? "" : name_of(o.next);
  for (row& r : rows)
    if (r.when == when && r.next == next && r.what.inside == o.inside
      && r.what.handlers == o.handlers && r.what.writes == o.writes && r.what.leases == o.leases
      && r.what.then == o.then)
    {
      r.phases += std::string(", ") + name_of(p);
      return;
    }
  rows.push_back({when, next, o, name_of(p)});
}

std::vector<row> rows_of(const transition& t, const words& all)
{
  std::vector<row> rows;
  for (phase p : all_phases)
  {
    words here;
    std::map<outcome, words> groups;
    for (value w : all)
      if (word::phase_of(w) == p && t.possible(w))
      {
        here.insert(w);
        groups[outcome_of(t, w)].insert(w);
      }
    for (const auto& [o, group] : groups)
      add(rows, p, condition_for(group, here), o);
  }
  return rows;
}

void add_count(std::string& counts, const char* what, std::int64_t change)
{
  if (change == 0)
    return;
  counts += counts.empty() ? "" : ", ";
  counts += std::string(what) + (change > 0 ? " +" : " ") + std::to_string(change);
}

void print(const transition& t, const row& r)
{
  std::string counts;
  add_count(counts, "inside", r.what.inside);
  add_count(counts, "handlers", r.what.handlers);
  add_count(counts, "writes", r.what.writes);
  add_count(counts, "leases", r.what.leases);
  std::cout << "  [[`" << t.name << "`] [" << r.phases << "] [" << r.when << "] [" << r.next
            << "] [" << counts << "] [" << name_of(r.what.then) << "]]\n";
}

} // namespace

int main()
try
{
  const words all = reachable();
  std::cout << "[/ Printed by doc/transitions.cpp. ]\n"
               "[table:transitions Transitions of the word\n"
               "  [[Transition] [Phase] [If] [Next phase] [Counts] [Duty]]\n";
  for (const transition& t : transitions)
    for (const row& r : rows_of(t, all))
      print(t, r);
  std::cout << "]\n";
  return EXIT_SUCCESS;
}
catch (const std::exception& e)
{
  std::cerr << "transitions: " << e.what() << '\n';
  return EXIT_FAILURE;
}
