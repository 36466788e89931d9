// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A time in which a write that no program can read returns an error, and does not end the program.

#ifndef INTERLOCK_TEST_SUPPORT_SIGPIPE_IGNORED_HPP
#define INTERLOCK_TEST_SUPPORT_SIGPIPE_IGNORED_HPP

#include <signal.h>

namespace support {

class sigpipe_ignored
{
public:
  sigpipe_ignored()
    : before_(::signal(SIGPIPE, SIG_IGN))
  {
  }

  sigpipe_ignored(const sigpipe_ignored&) = delete;
  sigpipe_ignored& operator=(const sigpipe_ignored&) = delete;

  ~sigpipe_ignored()
  {
    ::signal(SIGPIPE, before_);
  }

private:
  void (*before_)(int);
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_SIGPIPE_IGNORED_HPP
