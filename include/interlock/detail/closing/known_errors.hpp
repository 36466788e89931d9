// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What is known, before a close, of errors that operations have taken out of the socket.

#ifndef INTERLOCK_DETAIL_CLOSING_KNOWN_ERRORS_HPP
#define INTERLOCK_DETAIL_CLOSING_KNOWN_ERRORS_HPP

#include <cerrno>

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

struct known_errors
{
  /// The errno by which an operation has learned that the connection has ended; 0: none has.
  unsigned char error = 0;

  /// No other code can have received an error, so that without one the connection has not failed.
  bool are_all = false;
};

static_assert(
  ECONNRESET < 256 && ECONNABORTED < 256 && ETIMEDOUT < 256 && EPIPE < 256, "kept in every tenure");

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_KNOWN_ERRORS_HPP
