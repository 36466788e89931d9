// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Calls of a run that fail: which errors each system call may return, and the one that a run injects.

#ifndef INTERLOCK_TEST_SCHEDULES_HARNESS_FAULTS_HPP
#define INTERLOCK_TEST_SCHEDULES_HARNESS_FAULTS_HPP

#include <cstddef>
#include <string>
#include <vector>

namespace schedules {

/// The errors of a call that is made as it should be. None: it does not fail. Throws std::out_of_range for a call that
/// is not in the table.
const std::vector<int>& errors_of(const std::string& call);

/// One call of a run fails.
struct fault
{
  std::size_t call; // its number, from 0
  int error;
};

/// The calls of one run.
class faults
{
public:
  /// Of the run under way.
  static faults& current();

  /// For the next run. Null: no call fails.
  static void begin_run(const fault* planned);

  /// Each call asks. 0: it does not fail.
  int next(const char* call);

  /// Whether a call of this run fails, or has failed: then what a scenario requires beyond the invariants of every run
  /// need not hold.
  bool are_planned() const
  {
    return planned_ != nullptr;
  }

  /// Those that have been made.
  const std::vector<const char*>& calls() const
  {
    return calls_;
  }

private:
  const fault* planned_ = nullptr;
  std::vector<const char*> calls_;
};

} // namespace schedules

#endif // INTERLOCK_TEST_SCHEDULES_HARNESS_FAULTS_HPP
