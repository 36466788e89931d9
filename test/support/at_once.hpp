// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Several threads that begin at the same moment.

#ifndef INTERLOCK_TEST_SUPPORT_AT_ONCE_HPP
#define INTERLOCK_TEST_SUPPORT_AT_ONCE_HPP

#include <atomic>
#include <thread>
#include <vector>

namespace support {

/// Calls `body(i)` in that many threads, and returns when all have returned.
template <class Body>
void at_once(int threads, Body body)
{
  std::atomic<int> ready{0};
  std::vector<std::thread> running;
  for (int i = 0; i != threads; ++i)
    running.emplace_back(
      [&, i]
      {
        ++ready;
        while (ready != threads)
          std::this_thread::yield();
        body(i);
      });
  for (std::thread& t : running)
    t.join();
}

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_AT_ONCE_HPP
