// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Which schedules of a scenario are run: all with a number of preemptions, or random ones.
//
// A preemption takes the turn from a thread that could go on, or ends a wait at its time limit while a thread
// could go on. Where a thread blocks or ends, any other may follow. The schedules are walked by running the
// scenario again and again from its start, each time with the last choice that has an alternative changed.

#ifndef INTERLOCK_TEST_SCHEDULES_HARNESS_WALK_HPP
#define INTERLOCK_TEST_SCHEDULES_HARNESS_WALK_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "schedules/harness/faults.hpp"

namespace schedules {

/// A schedule that fails.
struct failing_schedule
{
  std::string failure;

  /// Where another thread is chosen than the thread that would go on: the number of the point, and the thread.
  std::map<std::size_t, unsigned> choices;

  /// As "17:2 43:0", and back. Throws std::invalid_argument.
  std::string text() const;
  static failing_schedule from(const std::string& text);
};

struct walk_result
{
  std::uint64_t runs = 0;
  std::size_t most_points = 0;
  bool failed = false;
  failing_schedule schedule; // the first that fails
};

/// All schedules with up to `preemptions`, those with fewer first.
walk_result walk_all(const std::function<void()>& scenario, unsigned preemptions);

/// `runs` random schedules: priorities that change at `changes` random points (PCT).
walk_result walk_random(
  const std::function<void()>& scenario, std::uint64_t seed, unsigned changes, std::uint64_t runs);

struct fault_walk_result
{
  std::size_t calls = 0; // that can fail
  std::uint64_t runs = 0;
  bool failed = false;
  fault injected = {}; // of the first run that fails
  std::string failure;
};

/// The schedule without a preemption, once for each error of each of its calls.
fault_walk_result walk_faults(const std::function<void()>& scenario);

struct replay_result
{
  std::string steps;   // one a line: thread, operation, object, function
  std::string failure; // empty if the run was as it should be
};

/// Runs one schedule of the scenario, with a call that fails unless that is null.
replay_result replay(
  const std::function<void()>& scenario, const failing_schedule& s, const fault* injected);

} // namespace schedules

#endif // INTERLOCK_TEST_SCHEDULES_HARNESS_WALK_HPP
