// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The program's allocations, which it replaces for itself by linking allocation_hook.cpp: operator
// new and aligned_alloc, which are all that Asio and the library allocate with. They can be counted,
// and one of them made to fail. Both are the calling thread's business only.

#ifndef INTERLOCK_TEST_SUPPORT_ALLOCATION_HOOK_HPP
#define INTERLOCK_TEST_SUPPORT_ALLOCATION_HOOK_HPP

#include <cstddef>

namespace support {

/// How many allocations the calling thread has asked for.
std::size_t allocations() noexcept;

/// How many allocations by operator new, of all threads, have not been freed.
long live_allocations() noexcept;

/// How much memory those take, each as large as malloc(3) has made it.
long live_bytes() noexcept;

/// Lets one allocation of the thread fail, while it lives.
class allocation_failure
{
public:
  /// The `nth` from now on, counted from 1.
  explicit allocation_failure(std::size_t nth) noexcept;

  allocation_failure(const allocation_failure&) = delete;
  allocation_failure& operator=(const allocation_failure&) = delete;

  ~allocation_failure();

  /// Whether it has come to that.
  bool struck() const noexcept;
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_ALLOCATION_HOOK_HPP
