// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/descriptor/retry_limit.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <interlock/detail/descriptor/calls.hpp>
#include <interlock/detail/descriptor/close_descriptor.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

#if defined(__linux__)

namespace {

/// A setting of the network namespace, up to 255; `otherwise` if it cannot be read.
unsigned setting(const char* path, unsigned otherwise) noexcept
{
  const int fd = sys::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return otherwise;
  std::array<char, 16> text = {};
  const ::ssize_t size = sys::read(fd, text.data(), text.size() - 1);
  close_descriptor(fd);
  if (size <= 0)
    return otherwise;
  return static_cast<unsigned>(std::min(std::strtoul(text.data(), nullptr, 10), 255ul));
}

} // namespace

// After close(2) that of orphans holds. There 0 means 8 (tcp_orphan_retries()).
unsigned retry_limit::of_system() noexcept
{
  if (of_system_ != 0)
    return of_system_;
  const unsigned most = setting("/proc/sys/net/ipv4/tcp_retries2", 15);
  const unsigned of_orphans = setting("/proc/sys/net/ipv4/tcp_orphan_retries", 0);
  of_system_ = time_of_retransmissions(std::min(most, of_orphans ? of_orphans : 8));
  return of_system_;
}

bool retry_limit::shorten(int fd, unsigned milliseconds, unsigned& before) noexcept
{
  if (milliseconds >= of_system())
    return false;
  const int set = calls::int_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, -1);
  if (set < 0)
    return false;
  before = static_cast<unsigned>(set);
  if (before != 0 && before <= milliseconds)
    return false;
  restore(fd, milliseconds);
  return true;
}

void retry_limit::restore(int fd, unsigned before) noexcept
{
  sys::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &before, sizeof(before));
}

#else

unsigned retry_limit::of_system() noexcept
{
  return 0;
}

bool retry_limit::shorten(int, unsigned, unsigned&) noexcept
{
  return false;
}

void retry_limit::restore(int, unsigned) noexcept {}

#endif

} // namespace detail
} // namespace abi_0
} // namespace interlock
