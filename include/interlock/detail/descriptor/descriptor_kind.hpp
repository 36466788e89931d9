// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What a descriptor refers to, as far as close(2) is concerned: whether that call can block.
//
// The kind of a socket follows from its protocol, without a system call. The system is asked about a descriptor
// that other code has made, or may have changed.

#ifndef INTERLOCK_DETAIL_DESCRIPTOR_DESCRIPTOR_KIND_HPP
#define INTERLOCK_DETAIL_DESCRIPTOR_DESCRIPTOR_KIND_HPP

#include <netinet/in.h>
#include <sys/socket.h>

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// Measured on Linux, in microseconds: 1 to 6 for what does not block; 7,000 for an inotify instance with a watch,
/// 16,000 and more for a packet socket (synchronize_rcu() in the release of both).
enum class descriptor_kind : unsigned char
{
  unknown,  ///< The system has not been asked.
  tcp,      ///< close(2) waits because of SO_LINGER only (inet_release()).
  datagram, ///< UDP, ICMP, raw IP: never waits.
  unix_socket, ///< Waits where descriptors lie in what is unread, or in a listener's queue (unix_release_sock()).
  pipe,  ///< A FIFO, too. Waits for the pipe's mutex only (pipe_release()).
  event, ///< eventfd, timerfd, signalfd: never waits.
  other  ///< May wait: a file, a terminal, a device, another socket.
};

/// Of a socket of this protocol that no other code has touched.
constexpr descriptor_kind kind_of_protocol(int family, int type, int protocol) noexcept
{
  if (family == AF_UNIX)
    return descriptor_kind::unix_socket;
  if (family != AF_INET && family != AF_INET6)
    return descriptor_kind::other;
  switch (type)
  {
  case SOCK_STREAM:
    return protocol == 0 || protocol == IPPROTO_TCP ? descriptor_kind::tcp : descriptor_kind::other;
  case SOCK_DGRAM:
    return protocol == 0 || protocol == IPPROTO_UDP || protocol == IPPROTO_ICMP
        || protocol == IPPROTO_ICMPV6
      ? descriptor_kind::datagram
      : descriptor_kind::other;
  case SOCK_RAW:
    return descriptor_kind::datagram;
  default:
    return descriptor_kind::other;
  }
}

/// Asks the system. A TCP socket with an upper layer protocol (kTLS: TCP_ULP in tcp(7)) is `other`.
INTERLOCK_DECL descriptor_kind kind_of(int fd) noexcept;

/// Whether a unix_socket has something unread that may hold descriptors.
/**
 * That is a message, also an empty one, which FIONREAD does not count, or a connection in a listener's queue. The
 * end of a stream is not. The end of a socket of packets cannot be told from an empty message, and counts as one.
 */
INTERLOCK_DECL bool may_hold_descriptors(int fd) noexcept;

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_DESCRIPTOR_DESCRIPTOR_KIND_HPP
