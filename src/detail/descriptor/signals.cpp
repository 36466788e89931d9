// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/descriptor/signals.hpp>

#include <signal.h>

#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

namespace {

/// Whether a thread can be sent it while it is blocked; others are those of a thread's own faults.
bool can_interrupt(int signal) noexcept
{
  return signal != SIGSEGV && signal != SIGBUS && signal != SIGFPE && signal != SIGILL
    && signal != SIGTRAP && signal != SIGKILL && signal != SIGSTOP;
}

} // namespace

bool goes_on_after_signal() noexcept
{
  bool is_caught = false;
  for (int signal = 1; signal < NSIG; ++signal)
  {
    struct ::sigaction action = {};
    if (!can_interrupt(signal) || sys::sigaction(signal, nullptr, &action) != 0)
      continue;
    const bool has_handler = (action.sa_flags & SA_SIGINFO) != 0
      || (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN);
    if (has_handler && (action.sa_flags & SA_RESTART) != 0)
      return true;
    is_caught |= has_handler;
  }
  return !is_caught;
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
