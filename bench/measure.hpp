// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Clocks, and statistics of what they show: percentiles, quartiles and a confidence interval of the median.
// Each function takes the values in any order.

#ifndef INTERLOCK_BENCH_MEASURE_HPP
#define INTERLOCK_BENCH_MEASURE_HPP

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>
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

/// `p` from 0 to 1; between two values in proportion, so that 0.5 of two is their mean. Of nothing 0.
inline double percentile(std::vector<double> values, double p)
{
  if (values.empty())
    return 0;
  const double at = p * double(values.size() - 1);
  const auto below = values.begin() + std::ptrdiff_t(at);
  std::nth_element(values.begin(), below, values.end());
  const double beyond = at - std::floor(at);
  return beyond == 0 ? *below
                     : *below + beyond * (*std::min_element(below + 1, values.end()) - *below);
}

/// Median and quartiles.
struct spread
{
  explicit spread(const std::vector<double>& values)
    : median(percentile(values, 0.5)),
      lower(percentile(values, 0.25)),
      upper(percentile(values, 0.75))
  {
  }

  double median, lower, upper;
};

struct interval
{
  double low, high;
};

/// The rank, counted from 1 and from either end, of those of `n` sorted values that bound the 95 % confidence interval
/// of the median. 0 if not even the smallest and the largest value reach 95 %, which is n < 6.
inline std::size_t median_rank(std::size_t n)
{
  // The tail of the binomial distribution of n tosses of a coin. The logarithm does not underflow if n is large.
  double log_term = -double(n) * std::log(2.0);
  double tail = 0;
  for (std::size_t rank = 0;; ++rank)
  {
    tail += std::exp(log_term);
    if (2 * tail > 0.05)
      return rank;
    log_term += std::log(double(n - rank) / double(rank + 1));
  }
}

/// The 95 % confidence interval of the median of what the values are drawn from, by order statistics: the narrowest
/// symmetric pair of ranks that covers it with a probability of at least 95 %, which the binomial distribution gives
/// exactly. Requires independent values of one continuous distribution, of whatever shape. Nothing for fewer than six.
inline std::optional<interval> median_interval(std::vector<double> values)
{
  const std::size_t rank = median_rank(values.size());
  if (rank == 0)
    return std::nullopt;
  std::sort(values.begin(), values.end());
  return interval{values[rank - 1], values[values.size() - rank]};
}

/// For programs that gather figures: a line of a file that the environment names, with the median, the quartiles, and
/// the 95 % confidence interval of the median (of fewer than six values the smallest and the largest).
inline void record(const std::string& what, const std::vector<double>& values)
{
  const char* const path = std::getenv("BENCH_RECORD");
  if (path == nullptr)
    return;
  std::FILE* const file = std::fopen(path, "ae");
  if (file == nullptr)
    return std::perror(path), std::exit(EXIT_FAILURE);
  const spread s(values);
  const interval i = median_interval(values).value_or(
    interval{percentile(values, 0), percentile(values, 1)});
  std::fprintf(file, "%s\t%.6g\t%.6g\t%.6g\t%.6g\t%.6g\n", what.c_str(), s.median, s.lower, s.upper,
    i.low, i.high);
  std::fclose(file);
}

/// Median and quartiles.
inline void print(const char* what, const std::vector<double>& values)
{
  const spread s(values);
  std::printf("%-46s %.3f  [%.3f .. %.3f]\n", what, s.median, s.lower, s.upper);
  record(what, values);
}

} // namespace bench

#endif // INTERLOCK_BENCH_MEASURE_HPP
