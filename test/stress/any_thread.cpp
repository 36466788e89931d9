// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Threads against threads on shared objects, with the descriptors reused as fast as they are set free:
// nothing may go astray, every handler comes to one end, every descriptor is closed once.
//
//   any_thread SECONDS
//
// Prints one line of counts. any_thread_control.cpp puts the same on plain Asio.

#include <chrono>
#include <cstdlib>
#include <stdexcept>

#include "stress/stress_blocked.hpp"
#include "stress/stress_mixed.hpp"
#include "stress/stress_reopened.hpp"
#include "stress/stress_runner.hpp"

namespace {

using namespace stress;
using std::chrono::milliseconds;
using family = interlock_family;

/// Each part in turn.
void everything(counts& c, clock::time_point end)
{
  for (int i = 0; i == 0 || clock::now() < end; ++i)
  {
    if (!repeat(milliseconds(100), [&c] { return blocked_round<family>(c); }))
      throw std::runtime_error("a number was not closed");
    repeat(milliseconds(20), [&c] { return reopened_round<family>(c), true; });
    const ending how = i % 2 == 0 ? ending::drained : ending::stopped;
    mixed_round<family>(c).run(milliseconds(500), how);
  }
}

} // namespace

int main(int argc, char** argv)
{
  const clock::duration time = time_to_run(argc, argv);
  if (time == clock::duration::zero())
    return 2;
  const shared_counts book;
  counts& c = book.get();
  const clock::time_point begin = clock::now();
  run_in_child(c, std::chrono::seconds(10), false,
    [end = begin + time](counts& counted) { everything(counted, end); });
  c.print(family::name, seconds_since(begin));
  const bool did_all = c.completed != 0 && c.closers_completed != 0 && c.held != 0;
  return c.wrong() == 0 && did_all ? EXIT_SUCCESS : EXIT_FAILURE;
}
