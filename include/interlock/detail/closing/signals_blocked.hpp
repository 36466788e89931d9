// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A scope in which all signals are blocked.

#ifndef INTERLOCK_DETAIL_CLOSING_SIGNALS_BLOCKED_HPP
#define INTERLOCK_DETAIL_CLOSING_SIGNALS_BLOCKED_HPP

#include <pthread.h>
#include <signal.h>

#include <interlock/config.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// Signals are the program's business: a thread started in this scope has all of them blocked.
class signals_blocked
{
public:
  signals_blocked() noexcept
  {
    ::sigset_t all;
    ::sigfillset(&all);
    sys::pthread_sigmask(SIG_BLOCK, &all, &before_);
  }

  signals_blocked(const signals_blocked&) = delete;
  signals_blocked& operator=(const signals_blocked&) = delete;

  ~signals_blocked()
  {
    sys::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

private:
  ::sigset_t before_;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_SIGNALS_BLOCKED_HPP
