// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The usual form of basic_readable_pipe, as boost/asio/readable_pipe.hpp.

#ifndef INTERLOCK_READABLE_PIPE_HPP
#define INTERLOCK_READABLE_PIPE_HPP

#include <interlock/basic_readable_pipe.hpp>
#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {

/// The read end of a pipe, for any executor.
using readable_pipe = basic_readable_pipe<>;

} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_READABLE_PIPE_HPP
