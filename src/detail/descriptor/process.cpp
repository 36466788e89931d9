// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/descriptor/process.hpp>

#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

namespace {

// How many forks lie between the process that loaded the library and this one. Written in a child only, before
// it has a second thread.
sys::atomic<long> forks{0};

void count_fork() noexcept
{
  forks.fetch_add(1, std::memory_order_relaxed);
}

} // namespace

long this_process() noexcept
{
  static const bool counts = sys::pthread_atfork(nullptr, nullptr, &count_fork) == 0;
  return counts ? forks.load(std::memory_order_relaxed) : static_cast<long>(sys::getpid());
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
