// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// How many descriptors a benchmark can have.

#ifndef INTERLOCK_BENCH_DESCRIPTOR_LIMIT_HPP
#define INTERLOCK_BENCH_DESCRIPTOR_LIMIT_HPP

#include <cstddef>

#include <sys/resource.h>

namespace bench {

/// Raises the limit of the process as far as it goes. How many descriptors that makes, besides a few of the program's own.
inline std::size_t possible_descriptors()
{
  ::rlimit limit = {};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ::getrlimit(RLIMIT_NOFILE, &limit);
  constexpr ::rlim_t others = 64;
  return std::size_t(limit.rlim_cur > others ? limit.rlim_cur - others : 0);
}

} // namespace bench

#endif // INTERLOCK_BENCH_DESCRIPTOR_LIMIT_HPP
