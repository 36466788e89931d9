// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The tag for a descriptor that another library owns.

#ifndef INTERLOCK_BORROWED_HPP
#define INTERLOCK_BORROWED_HPP

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {

/// Marks a descriptor that another library owns: a close detaches it, and never calls close(2).
/**
 * The last argument of constructors and of `assign`, before the `error_code&`. The owner must keep the
 * descriptor open until `async_close` or `async_release` has completed. The first asynchronous operation sets
 * O_NONBLOCK, which stays set; so does an accept, and a synchronous transfer of what is no socket.
 */
struct borrowed_t
{
  /// Explicit, so that empty braces do not mean it.
  explicit borrowed_t() = default;
};

/// The argument that says so.
inline constexpr borrowed_t borrowed{};

} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_BORROWED_HPP
