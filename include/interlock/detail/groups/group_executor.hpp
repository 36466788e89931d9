// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The executor of a group, and the I/O object that a group makes so that the reactor of its context is older than its
// services. As with detail/sys.hpp, a test puts another header in this one's place.

#ifndef INTERLOCK_DETAIL_GROUPS_GROUP_EXECUTOR_HPP
#define INTERLOCK_DETAIL_GROUPS_GROUP_EXECUTOR_HPP

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

using group_executor = boost::asio::any_io_executor;
using group_reactor_user = boost::asio::posix::basic_stream_descriptor<group_executor>;

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_GROUPS_GROUP_EXECUTOR_HPP
