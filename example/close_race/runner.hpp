// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Runs a scenario in child processes, so that a crash or a hang is a result and not the end of the
// demonstration. The parent stays single-threaded: it forks.

#ifndef INTERLOCK_EXAMPLE_CLOSE_RACE_RUNNER_HPP
#define INTERLOCK_EXAMPLE_CLOSE_RACE_RUNNER_HPP

#include "tally.hpp"

#include <chrono>
#include <memory>

namespace close_race {

struct unmap_tally
{
  void operator()(tally* counts) const noexcept;
};

using shared_tally = std::unique_ptr<tally, unmap_tally>;

// Starts children, one after the other, until the time is used up; a crash or a hang costs one
// child. A scenario that is done in one go ends sooner and is run once.
shared_tally run_repeatedly(scenario rounds, std::chrono::duration<double> time);
shared_tally run_once(scenario once);

} // namespace close_race

#endif // INTERLOCK_EXAMPLE_CLOSE_RACE_RUNNER_HPP
