// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Stands before the library's header of this name: the executor and the I/O object of a run.

#ifndef INTERLOCK_TEST_SCHEDULES_SYS_INTERLOCK_DETAIL_GROUPS_GROUP_EXECUTOR_HPP
#define INTERLOCK_TEST_SCHEDULES_SYS_INTERLOCK_DETAIL_GROUPS_GROUP_EXECUTOR_HPP

#include <interlock/config.hpp>

#include "schedules/context.hpp"
#include "schedules/inner_socket.hpp"

namespace interlock {
inline namespace abi_0 {
namespace detail {

using group_executor = schedules::executor;
using group_reactor_user = schedules::inner_socket;

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_TEST_SCHEDULES_SYS_INTERLOCK_DETAIL_GROUPS_GROUP_EXECUTOR_HPP
