// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Waiting in tests for what another thread is about to do: a condition is looked at again and again
// until it holds. The deadline only ends a test that has failed; no test passes because of it.

#ifndef INTERLOCK_TEST_SUPPORT_WAIT_UNTIL_HPP
#define INTERLOCK_TEST_SUPPORT_WAIT_UNTIL_HPP

#include <chrono>
#include <thread>

namespace support {

constexpr std::chrono::seconds patience{60};

/// Whether `condition` came to hold in time.
template <class Condition>
bool wait_until(Condition condition,
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::now() + patience)
{
  while (!condition())
  {
    if (std::chrono::steady_clock::now() > deadline)
      return false;
    std::this_thread::yield();
  }
  return true;
}

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_WAIT_UNTIL_HPP
