// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The usual form of basic_descriptor, as boost/asio/posix/descriptor.hpp.

#ifndef INTERLOCK_POSIX_DESCRIPTOR_HPP
#define INTERLOCK_POSIX_DESCRIPTOR_HPP

#include <interlock/config.hpp>
#include <interlock/posix/basic_descriptor.hpp>

namespace interlock {
inline namespace abi_0 {
namespace posix {

/// A descriptor for any executor.
using descriptor = basic_descriptor<>;

} // namespace posix
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_POSIX_DESCRIPTOR_HPP
