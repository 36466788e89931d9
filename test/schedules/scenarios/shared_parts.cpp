// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The smallest things that threads share, each by itself: what one thread ends while others use it.

#include <interlock/detail/closing/edge_set.hpp>
#include <interlock/detail/closing/use_count.hpp>
#include <interlock/detail/descriptor/wake_events.hpp>

#include "schedules/harness/kernel.hpp"
#include "schedules/scenario.hpp"

using namespace schedules;
using interlock::detail::edge_set;
using interlock::detail::use_count;
using interlock::detail::wake_event;
using interlock::detail::wake_events;

SCENARIO(use_count_that_ends_beside_two_users)
{
  use_count users;
  unsigned freed = 0;
  const auto use = [&]
  {
    const unsigned round = users.round();
    if (!users.enter())
      return;
    scheduler::current()->point("use", nullptr);
    require(freed == 0, "what is used is freed");
    freed += users.leave(round);
  };
  {
    thread one("one", use);
    thread two("two", use);
    freed += users.end();
    freed += users.end();
  }
  require(freed == 1, "what was used is not freed once");
}

SCENARIO(edge_set_that_closes_beside_a_wait)
{
  edge_set edges;
  if (!edges.open())
    return;
  thread waiting("waiting",
    [&]
    {
      void* tags[edge_set::most];
      if (const edge_set::user in_use(edges); in_use)
        edges.wait(interlock::detail::sys::clock::duration::max(), tags);
    });
  thread waking("waking", [&] { edges.wake(); });
  edges.wake();
  edges.close();
}

SCENARIO(wake_events_that_end_beside_a_wait)
{
  wake_events events;
  events.put(events.take());
  thread user("user", [&] { events.put(events.take()); });
  events.keep_none();
  user.join();
  require(kernel::current().open_files() == 0, "an event is kept although none is to be");
}

SCENARIO(two_threads_that_take_a_kept_event)
{
  wake_events events;
  events.put(events.take());
  wake_event other_event;
  thread other("other", [&] { other_event = events.take(); });
  const wake_event event = events.take();
  other.join();
  require(event.descriptor != other_event.descriptor, "two threads have one event");
  events.put(event);
  events.put(other_event);
}
