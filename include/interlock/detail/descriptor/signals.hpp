// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What the program wants of a blocking call that a signal has interrupted.

#ifndef INTERLOCK_DETAIL_DESCRIPTOR_SIGNALS_HPP
#define INTERLOCK_DETAIL_DESCRIPTOR_SIGNALS_HPP

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// After EINTR of poll(2), which no handler restarts: whether the kernel would have restarted a read or a write
/// (signal(7)).
/**
 * Which signal has come is not known, so the dispositions of all count. False if signals are caught, and none with
 * SA_RESTART. If some are with and some without, the call goes on. Any thread.
 */
INTERLOCK_DECL bool goes_on_after_signal() noexcept;

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_DESCRIPTOR_SIGNALS_HPP
