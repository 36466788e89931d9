// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The only file that calls close(2).

#include <interlock/detail/number/close_number.hpp>

#include <cerrno>

#include <unistd.h>

namespace interlock
{
inline namespace abi_0
{
namespace detail
{

int close_number(int number) noexcept
{
  if (::close(number) == 0 || errno == EINTR || errno == EINPROGRESS)
    return 0;
  return errno;
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
