// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What a scenario counts. A tally lies in memory shared between the parent and the child processes
// in which scenarios run, so the counts outlive a child that crashes. The parent alone reads it as
// a whole, and only when no child is left.

#ifndef INTERLOCK_EXAMPLE_CLOSE_RACE_TALLY_HPP
#define INTERLOCK_EXAMPLE_CLOSE_RACE_TALLY_HPP

#include <atomic>
#include <chrono>
#include <cstdint>

namespace close_race {

using clock = std::chrono::steady_clock;
using counter = std::atomic<std::uint64_t>;
static_assert(counter::is_always_lock_free, "counters are shared between processes");

struct tally
{
  // Written by the scenarios.
  counter closes{0};      // rounds finished, one close each
  counter misdirected{0}; // rounds in which a call acted on a stranger's descriptor
  counter stray_bytes{0}; // bytes put into, or taken from, the stranger
  counter aborted{0};     // blocked calls that returned operation_aborted
  counter started{0};     // asynchronous operations started
  counter completed{0};   // handler invocations
  counter hung{0};        // a call that never returned, or a handler that never ran
  counter first_peer{0};  // bytes of one message, by the peer that received them
  counter second_peer{0};
  counter reported_error{0};  // error value the composed operation ended with
  counter longest_wait_us{0}; // longest time a request waited for the event loop
  counter close_cpu_ns{0};    // medians on the loop's thread
  counter close_wall_ns{0};

  // Written by the parent.
  counter crashes{0};
  counter last_signal{0};
  counter broken{0}; // children that ended with an exception: the scenario itself failed
};

// Runs in a child process: repeats its rounds until the given time, or is done sooner.
using scenario = void (*)(tally&, clock::time_point until);

// A handler for operations without a value worth looking at: counts its invocation.
struct count_completion
{
  tally& counts;

  template <typename... Results>
  void operator()(const Results&...) const
  {
    ++counts.completed;
  }
};

} // namespace close_race

#endif // INTERLOCK_EXAMPLE_CLOSE_RACE_TALLY_HPP
