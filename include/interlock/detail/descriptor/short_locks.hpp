// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The mutexes of all objects and tenures of the process: a few, each for many of them.
//
// What they guard is changed rarely and for a short time, without user code, so one for each would be memory without
// use: 40 bytes in glibc. A thread that has one for a tenure locks none of another tenure; it may have locked one for
// an object before. Beside each is the list of the threads that are blocked in a call on a tenure of that mutex.
//
// They are in static memory and are never destroyed. A forked child makes them anew.

#ifndef INTERLOCK_DETAIL_DESCRIPTOR_SHORT_LOCKS_HPP
#define INTERLOCK_DETAIL_DESCRIPTOR_SHORT_LOCKS_HPP

#include <interlock/config.hpp>
#include <interlock/detail/descriptor/waiting.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// The mutex of the object at this address.
INTERLOCK_DECL sys::mutex& object_mutex(const void* object) noexcept;

/// The mutex of the tenure at this address.
INTERLOCK_DECL sys::mutex& tenure_mutex(const void* tenure) noexcept;

/// The list that the tenure's mutex guards. Threads of other tenures are in it as well.
INTERLOCK_DECL blocked_thread_list& blocked_threads_near(const void* tenure) noexcept;

/// In a forked child, before it has a second thread: no thread has locked any of them, and none is blocked. Once for
/// each process; later calls have no effect.
INTERLOCK_DECL void renew_short_locks() noexcept;

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_DESCRIPTOR_SHORT_LOCKS_HPP
