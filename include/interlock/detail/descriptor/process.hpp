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

/// Differs between a process and each child that it has forked by fork(2), as long as both have called this or
/// inherited a call of it. Any thread.
INTERLOCK_DECL long this_process() noexcept;

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_DESCRIPTOR_PROCESS_HPP
