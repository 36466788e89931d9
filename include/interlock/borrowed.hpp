// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The tag for a descriptor that another library owns.

#ifndef INTERLOCK_BORROWED_HPP
#define INTERLOCK_BORROWED_HPP

#include <interlock/config.hpp>

namespace interlock
{
inline namespace abi_0
{

/// Says of a descriptor that somebody else owns it: a close only detaches.
/**
 * Last argument of the constructors and of `assign` (but for the `error_code&`). The object takes the
 * descriptor out of the reactor when it is closed, and never calls close(2). The owner keeps the descriptor
 * open until `async_close` or `async_release` has completed. O_NONBLOCK is left as it is until the
 * first operation; it is not taken back.
 */
struct borrowed_t
{
  explicit borrowed_t() = default;
};

inline constexpr borrowed_t borrowed{};

} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_BORROWED_HPP
