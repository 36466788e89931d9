// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// SIGUSR1 as a signal that interrupts system calls instead of restarting them.

#ifndef INTERLOCK_TEST_SUPPORT_INTERRUPTING_SIGNAL_HPP
#define INTERLOCK_TEST_SUPPORT_INTERRUPTING_SIGNAL_HPP

#include <stdexcept>

#include <signal.h>

namespace support {

/// While it lives `handler` is called; then everything is as it was.
class interrupting_signal
{
public:
  explicit interrupting_signal(void (*handler)(int) = [](int) {})
  {
    struct ::sigaction action = {};
    action.sa_handler = handler;
    if (::sigaction(SIGUSR1, &action, &before_) != 0)
      throw std::runtime_error("sigaction");
  }

  interrupting_signal(const interrupting_signal&) = delete;
  interrupting_signal& operator=(const interrupting_signal&) = delete;

  ~interrupting_signal()
  {
    ::sigaction(SIGUSR1, &before_, nullptr);
  }

private:
  struct ::sigaction before_;
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_INTERRUPTING_SIGNAL_HPP
