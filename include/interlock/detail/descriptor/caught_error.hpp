// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The error of an exception. A header cannot name the exception that it catches, because a program may be compiled
// without exceptions; the compiled library can.

#ifndef INTERLOCK_DETAIL_DESCRIPTOR_CAUGHT_ERROR_HPP
#define INTERLOCK_DETAIL_DESCRIPTOR_CAUGHT_ERROR_HPP

#include <boost/system/error_code.hpp>

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// The code of the boost::system::system_error that is being handled. Throws any other exception again.
INTERLOCK_DECL boost::system::error_code caught_error();

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_DESCRIPTOR_CAUGHT_ERROR_HPP
