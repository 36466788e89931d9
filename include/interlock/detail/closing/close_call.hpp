// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// One close(2) by a thread of the library. It may block, so a fork waits for it only for a time. The kernel takes the
// descriptor away first: once the call has begun, a preparation does not wait for what has been posted.

#ifndef INTERLOCK_DETAIL_CLOSING_CLOSE_CALL_HPP
#define INTERLOCK_DETAIL_CLOSING_CLOSE_CALL_HPP

#include <interlock/config.hpp>
#include <interlock/detail/closing/close_job.hpp>
#include <interlock/detail/closing/close_progress.hpp>
#include <interlock/detail/closing/fork_gate.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

struct close_call
{
  /// The job may be gone when this returns. Returns what the thread has to give to the gate from now on.
  static fork_gate::round make(close_job& job, close_step how, close_progress& progress,
    fork_gate& gate, fork_gate::round entered) noexcept
  {
    progress.begin_call();
    gate.begin_call(entered);
    job.close_descriptor_now(how);
    progress.end_call();
    // After a close(2) that has taken longer than a fork waits: the child takes the descriptor for gone.
    const fork_gate::round now = gate.end_call(entered);
    job.tell_closed();
    progress.note_settled();
    return now;
  }
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_CLOSE_CALL_HPP
