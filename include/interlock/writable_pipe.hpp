// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The usual form of basic_writable_pipe, as boost/asio/writable_pipe.hpp.

#ifndef INTERLOCK_WRITABLE_PIPE_HPP
#define INTERLOCK_WRITABLE_PIPE_HPP

#include <interlock/basic_writable_pipe.hpp>
#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {

/// The write end of a pipe, for any executor.
using writable_pipe = basic_writable_pipe<>;

} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_WRITABLE_PIPE_HPP
