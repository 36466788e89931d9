// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// How many descriptors a benchmark can have.

#ifndef INTERLOCK_BENCH_DESCRIPTOR_LIMIT_HPP
#define INTERLOCK_BENCH_DESCRIPTOR_LIMIT_HPP

#include <cstddef>

#include <sys/resource.h>

namespace bench {

/// Raises the limit of the process to `wanted`, or as far as it goes. How many descriptors that makes, besides a few of
/// the program's own. Only a privileged process can raise its hard limit.
inline std::size_t possible_descriptors(std::size_t wanted)
{
  constexpr ::rlim_t others = 64;
  ::rlimit limit = {};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const ::rlimit higher = {wanted + others, wanted + others};
  if (limit.rlim_max < higher.rlim_max && ::setrlimit(RLIMIT_NOFILE, &higher) == 0)
    return wanted;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return std::size_t(limit.rlim_cur > others ? limit.rlim_cur - others : 0);
}

} // namespace bench

#endif // INTERLOCK_BENCH_DESCRIPTOR_LIMIT_HPP
