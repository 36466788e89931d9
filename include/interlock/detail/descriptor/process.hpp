// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Tells a process from the children that it forks, without a system call.

#ifndef INTERLOCK_DETAIL_DESCRIPTOR_PROCESS_HPP
#define INTERLOCK_DETAIL_DESCRIPTOR_PROCESS_HPP

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// A number that a child does not share with its parent, however it was forked. A child of CLONE_VM, which shares
/// its parent's memory, shares the number. Any thread.
INTERLOCK_DECL long this_process() noexcept;

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_DESCRIPTOR_PROCESS_HPP
