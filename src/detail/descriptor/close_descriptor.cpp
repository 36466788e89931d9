// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The only file that calls close(2).

#include <interlock/detail/descriptor/close_descriptor.hpp>

#include <cerrno>

#include <interlock/detail/descriptor/calls.hpp>
#include <interlock/detail/descriptor/cancellation_disabled.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

int close_descriptor(int fd) noexcept
{
  const cancellation_disabled disabled;
  if (sys::close(fd) == 0 || errno == EINTR || errno == EINPROGRESS)
    return 0;
  return errno;
}

void close_unused(int fd) noexcept
{
  calls::clear_linger(fd);
  close_descriptor(fd);
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
