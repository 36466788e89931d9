// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The one way to close(2). Defined in the only file that calls it, so that the callers that close can
// be found by reading one file.

#ifndef INTERLOCK_DETAIL_DESCRIPTOR_CLOSE_DESCRIPTOR_HPP
#define INTERLOCK_DETAIL_DESCRIPTOR_CLOSE_DESCRIPTOR_HPP

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// Closes `descriptor` and returns 0 or the errno of close(2).
/**
 * EINTR and EINPROGRESS count as success and are never retried: Linux has freed the descriptor by then
 * (close(2), notes), and another open may already have its number. May block: SO_LINGER, a file system's
 * flush, a tty's drain.
 */
INTERLOCK_DECL int close_descriptor(int fd) noexcept;

/// Closes a descriptor that was never used: there is nothing to flush, and a linger that it inherited
/// from a listener must not block.
INTERLOCK_DECL void close_unused(int fd) noexcept;

constexpr int no_descriptor = -1;

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_DESCRIPTOR_CLOSE_DESCRIPTOR_HPP
