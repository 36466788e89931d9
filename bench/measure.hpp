// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Clocks and the spread of what they show.

#ifndef INTERLOCK_BENCH_MEASURE_HPP
#define INTERLOCK_BENCH_MEASURE_HPP

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <ctime>
#include <vector>

namespace bench {

/// Microseconds.
inline double now(::clockid_t clock = CLOCK_MONOTONIC)
{
  ::timespec t = {};
  ::clock_gettime(clock, &t);
  return double(t.tv_sec) * 1e6 + double(t.tv_nsec) / 1e3;
}

/// `p` from 0 to 1. Of nothing 0.
inline double percentile(std::vector<double> values, double p)
{
  if (values.empty())
    return 0;
  const auto at = std::min(values.size() - 1, std::size_t(p * double(values.size())));
  std::nth_element(values.begin(), values.begin() + std::ptrdiff_t(at), values.end());
  return values[at];
}

/// Median and quartiles.
inline void print(const char* what, const std::vector<double>& values)
{
  std::printf("%-46s %.3f  [%.3f .. %.3f]\n", what, percentile(values, 0.5),
    percentile(values, 0.25), percentile(values, 0.75));
}

} // namespace bench

#endif // INTERLOCK_BENCH_MEASURE_HPP
