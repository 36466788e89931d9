// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The tag for which Asio's pipe templates are specialised in the place of an executor. Pipes have no protocol.

#ifndef INTERLOCK_CLOSABLE_EXECUTOR_HPP
#define INTERLOCK_CLOSABLE_EXECUTOR_HPP

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {

/// Selects the pipes that any thread may close, as interlock::closable selects the sockets.
/**
 * `boost::asio::basic_readable_pipe<closable_executor<Executor>>` is `interlock::basic_readable_pipe<Executor>`, so code
 * written over Asio's pipe templates (Boost.Process v2) works with it. The executor of the pipe is an @c Executor; this
 * type is not an executor, and nothing converts to it or from it.
 */
template <class Executor>
struct closable_executor
{
};

} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_CLOSABLE_EXECUTOR_HPP
