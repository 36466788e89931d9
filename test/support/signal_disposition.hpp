// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What a signal does for a while.

#ifndef INTERLOCK_TEST_SUPPORT_SIGNAL_DISPOSITION_HPP
#define INTERLOCK_TEST_SUPPORT_SIGNAL_DISPOSITION_HPP

#include <stdexcept>

#include <signal.h>

namespace support {

/// While it lives the signal has this handler, and these flags of sigaction(2); then everything is as it was.
class signal_disposition
{
public:
  signal_disposition(int signal, int flags, void (*handler)(int))
    : signal_(signal)
  {
    struct ::sigaction action = {};
    action.sa_flags = flags;
    action.sa_handler = handler;
    if (::sigaction(signal, &action, &before_) != 0)
      throw std::runtime_error("sigaction");
  }

  signal_disposition(const signal_disposition&) = delete;
  signal_disposition& operator=(const signal_disposition&) = delete;

  ~signal_disposition()
  {
    ::sigaction(signal_, &before_, nullptr);
  }

private:
  const int signal_;
  struct ::sigaction before_;
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_SIGNAL_DISPOSITION_HPP
