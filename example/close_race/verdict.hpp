// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// From counts to a cell of the table and a judgement. One function for each row; both columns are
// judged by the same one.

#ifndef INTERLOCK_EXAMPLE_CLOSE_RACE_VERDICT_HPP
#define INTERLOCK_EXAMPLE_CLOSE_RACE_VERDICT_HPP

#include "tally.hpp"

#include <string>

namespace close_race {

struct verdict
{
  std::string text;
  bool clean = false;       // nothing happened that must not happen, and something was tried
  bool misdirected = false; // a stranger's descriptor was written or read
};

// Turns the counts into a verdict; "plain" are the counts of the row's first column, or null.
using judge = verdict (*)(const tally& counts, const tally* plain);

verdict judge_blocked_write(const tally& counts, const tally* plain);
verdict judge_blocked_read(const tally& counts, const tally* plain);
verdict judge_lifetime(const tally& counts, const tally* plain);
verdict judge_reopened(const tally& counts, const tally* plain);
verdict judge_stall(const tally& counts, const tally* plain);
verdict judge_cost(const tally& counts, const tally* plain);

} // namespace close_race

#endif // INTERLOCK_EXAMPLE_CLOSE_RACE_VERDICT_HPP
