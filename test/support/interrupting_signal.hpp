// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// SIGUSR1 as a signal that interrupts system calls instead of restarting them.

#ifndef INTERLOCK_TEST_SUPPORT_INTERRUPTING_SIGNAL_HPP
#define INTERLOCK_TEST_SUPPORT_INTERRUPTING_SIGNAL_HPP

#include <signal.h>

#include "support/signal_disposition.hpp"

namespace support {

class interrupting_signal : private signal_disposition
{
public:
  explicit interrupting_signal(void (*handler)(int) = [](int) {})
    : signal_disposition(SIGUSR1, 0, handler)
  {
  }
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_INTERRUPTING_SIGNAL_HPP
