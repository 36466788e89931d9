// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The usual form of basic_stream_descriptor, as boost/asio/posix/stream_descriptor.hpp.

#ifndef INTERLOCK_POSIX_STREAM_DESCRIPTOR_HPP
#define INTERLOCK_POSIX_STREAM_DESCRIPTOR_HPP

#include <interlock/config.hpp>
#include <interlock/posix/basic_stream_descriptor.hpp>

namespace interlock {
inline namespace abi_0 {
namespace posix {

/// A stream descriptor for any executor.
using stream_descriptor = basic_stream_descriptor<>;

} // namespace posix
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_POSIX_STREAM_DESCRIPTOR_HPP
