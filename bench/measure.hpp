// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Clocks and the spread of what they show.

#ifndef INTERLOCK_BENCH_MEASURE_HPP
#define INTERLOCK_BENCH_MEASURE_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <vector>

namespace bench {

/// Of CLOCK_MONOTONIC the same in each process.
inline std::int64_t nanoseconds(::clockid_t clock = CLOCK_MONOTONIC)
{
  ::timespec t = {};
  ::clock_gettime(clock, &t);
  return std::int64_t(t.tv_sec) * 1000000000 + t.tv_nsec;
}

/// Microseconds.
inline double now(::clockid_t clock = CLOCK_MONOTONIC)
{
  return double(nanoseconds(clock)) / 1e3;
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
