// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What the user has set on an object and Interlock keeps from Asio.

#ifndef INTERLOCK_DETAIL_CORE_USER_FLAGS_HPP
#define INTERLOCK_DETAIL_CORE_USER_FLAGS_HPP

#include <atomic>

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

struct flag_values
{
  bool non_blocking = false;
  bool native_non_blocking = false;
  bool connection_aborted = false;
};

/// The flags of one object. Asio would read its own without a lock, so they stay here.
struct user_flags
{
  std::atomic<bool> non_blocking{false};
  std::atomic<bool> native_non_blocking{false};
  std::atomic<bool> connection_aborted{false};

  flag_values values() const noexcept
  {
    return {non_blocking, native_non_blocking, connection_aborted};
  }

  void set(const flag_values& v) noexcept
  {
    non_blocking = v.non_blocking;
    native_non_blocking = v.native_non_blocking;
    connection_aborted = v.connection_aborted;
  }
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CORE_USER_FLAGS_HPP
