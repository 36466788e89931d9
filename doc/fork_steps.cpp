// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Prints what a context does about forks as a table in quickbook, from the function that decides it: a row for each
// state, a column for each event.

#include <interlock/detail/closing/fork_step.hpp>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>

namespace {

using interlock::detail::fork_act;
using interlock::detail::fork_event;
using interlock::detail::fork_state;
using interlock::detail::fork_step;
using interlock::detail::step_of;

struct event
{
  fork_event e;
  const char* name;
};

constexpr event events[] = {{fork_event::prepare, "`fork_prepare`"},
  {fork_event::parent, "`fork_parent`"}, {fork_event::child, "`fork_child`"},
  {fork_event::use, "an object is opened or closed, or a call on it blocks"},
  {fork_event::begin, "[^fork(2)] begins"}, {fork_event::end, "[^fork(2)] is over, in the parent"}};

const char* name_of(fork_act a)
{
  switch (a)
  {
  case fork_act::none:
    return "";
  case fork_act::settle_and_park:
    return "wait for what is queued; park";
  case fork_act::park:
    return "park";
  case fork_act::resume:
    return "go on";
  case fork_act::notify:
    return "notify the context, then again";
  case fork_act::adopt:
    return "adopt";
  }
  throw std::logic_error("an act without a name");
}

std::string name_of(const fork_state& s)
{
  std::string name = s.foreign ? "child" : "";
  const auto add = [&name](bool holds, const char* text)
  {
    if (holds)
      name += (name.empty() ? "" : ", ") + std::string(text);
  };
  add(s.prepared, "prepared");
  add(s.forking, "forking");
  return name.empty() ? "running" : name;
}

bool same(const fork_state& a, const fork_state& b)
{
  return a.prepared == b.prepared && a.forking == b.forking && a.foreign == b.foreign;
}

void print(const fork_state& s)
{
  std::cout << "  [[" << name_of(s) << ']';
  for (const event& e : events)
  {
    const fork_step one = step_of(s, e.e);
    const std::string act = name_of(one.act);
    const std::string next = same(one.next, s) ? "" : "['" + name_of(one.next) + "]";
    std::cout << " [" << act << (act.empty() || next.empty() ? "" : ": ") << next << ']';
  }
  std::cout << "]\n";
}

} // namespace

int main()
try
{
  std::cout << "[/ Printed by doc/fork_steps.cpp. ]\n"
               "[table:fork_steps What a context does about forks\n  [[State]";
  for (const event& e : events)
    std::cout << " [" << e.name << ']';
  std::cout << "]\n";
  for (int i = 0; i != 8; ++i)
  {
    fork_state s;
    s.prepared = (i & 1) != 0;
    s.forking = (i & 2) != 0;
    s.foreign = (i & 4) != 0;
    print(s);
  }
  std::cout << "]\n";
  return EXIT_SUCCESS;
}
catch (const std::exception& e)
{
  std::cerr << "fork_steps: " << e.what() << '\n';
  return EXIT_FAILURE;
}
