// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The memory of a run: what the scenario allocates must be freed by its end, and is not touched after it has
// been freed. Freed memory is filled with a pattern and kept until the run is over.

#ifndef INTERLOCK_TEST_SCHEDULES_HARNESS_MEMORY_HPP
#define INTERLOCK_TEST_SCHEDULES_HARNESS_MEMORY_HPP

#include <string>

namespace schedules {
namespace memory {

void begin_run() noexcept;

/// Why the run has failed: memory that was not freed, or was written to afterwards. Empty if it has not. `as_child`:
/// memory of threads that the child does not have is left over.
std::string end_run(bool as_child);

/// The run has failed already: what it holds is leaked.
void abandon_run() noexcept;

/// Whether `p` points into memory that the run has freed.
bool is_freed(const void* p) noexcept;

/// While it exists, allocations are the harness's own.
class of_harness
{
public:
  of_harness() noexcept;
  of_harness(const of_harness&) = delete;
  of_harness& operator=(const of_harness&) = delete;
  ~of_harness();

private:
  const bool before_;
};

/// While it exists, allocations are the scenario's.
class of_scenario
{
public:
  of_scenario() noexcept;
  of_scenario(const of_scenario&) = delete;
  of_scenario& operator=(const of_scenario&) = delete;
  ~of_scenario();

private:
  const bool before_;
};

} // namespace memory
} // namespace schedules

#endif // INTERLOCK_TEST_SCHEDULES_HARNESS_MEMORY_HPP
