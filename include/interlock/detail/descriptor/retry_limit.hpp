// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// How long the kernel goes on with TCP segments that the peer does not acknowledge.
//
// TCP_USER_TIMEOUT takes the place of the kernel's own limits (tcp_write_timeout(), tcp_keepalive_timer()), so a longer
// one would lengthen them. It is set where it shortens them only.

#ifndef INTERLOCK_DETAIL_DESCRIPTOR_RETRY_LIMIT_HPP
#define INTERLOCK_DETAIL_DESCRIPTOR_RETRY_LIMIT_HPP

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// How long so many retransmissions without an answer take, in milliseconds: the interval is 200 at first, and twice as
/// long each time, up to two minutes (tcp_model_timeout(); TCP_RTO_MIN and TCP_RTO_MAX in Linux, if they are not set).
constexpr unsigned time_of_retransmissions(unsigned count) noexcept
{
  constexpr unsigned first = 200;
  constexpr unsigned longest = 120000;
  constexpr unsigned doubled = 9;
  return count <= doubled ? ((2u << count) - 1) * first
                          : ((2u << doubled) - 1) * first + (count - doubled) * longest;
}

/// Owned by one thread, whose network namespace says what the system's limits are, when they are first needed.
class retry_limit
{
public:
  /// Lets the kernel give the peer up after so many milliseconds without an acknowledgement. `before`: what
  /// TCP_USER_TIMEOUT was. False: the kernel would give the peer up earlier in any case, and nothing has changed.
  INTERLOCK_DECL bool shorten(int fd, unsigned milliseconds, unsigned& before) noexcept;

  INTERLOCK_DECL static void restore(int fd, unsigned before) noexcept;

private:
  unsigned of_system() noexcept;

  unsigned of_system_ = 0; // in milliseconds; 0: has not been asked for
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_DESCRIPTOR_RETRY_LIMIT_HPP
