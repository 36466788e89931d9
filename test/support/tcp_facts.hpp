// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What the system says of a connected socket, by system calls of the test's own; and peers that take
// what is sent to them.

#ifndef INTERLOCK_TEST_SUPPORT_TCP_FACTS_HPP
#define INTERLOCK_TEST_SUPPORT_TCP_FACTS_HPP

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <stdexcept>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/sockios.h>

#include "descriptor_pairs.hpp"
#include "descriptors.hpp"
#include "wait_until.hpp"

namespace support {

/// The descriptor of this process whose socket is the other end of `n`.
inline int descriptor_connected_to(const fd& n)
{
  const ::sockaddr_in wanted = address_of(n);
  for (const int other : open_fds())
  {
    ::sockaddr_in peer = {};
    ::socklen_t size = sizeof(peer);
    if (::getpeername(other, reinterpret_cast<::sockaddr*>(&peer), &size) == 0
      && peer.sin_family == AF_INET && peer.sin_port == wanted.sin_port
      && peer.sin_addr.s_addr == wanted.sin_addr.s_addr)
      return other;
  }
  throw std::runtime_error("this process does not have the other end of a connection");
}

inline std::size_t queue_of(const fd& n, unsigned long which)
{
  int value = 0;
  checked(::ioctl(n.get(), which, &value), "ioctl");
  return static_cast<std::size_t>(value);
}

/// SIOCOUTQ: what is not acknowledged, a FIN counted as one.
inline std::size_t output_of(const fd& n)
{
  return queue_of(n, SIOCOUTQ);
}

inline std::size_t input_of(const fd& n)
{
  return queue_of(n, FIONREAD);
}

/// Whether a descriptor becomes readable within so many milliseconds.
inline bool readable(int n, int milliseconds)
{
  ::pollfd p = {n, POLLIN, 0};
  return ::poll(&p, 1, milliseconds) == 1;
}

/// Whether as much input came to be there.
inline bool wait_input(const fd& n, std::size_t bytes)
{
  return wait_until([&] { return input_of(n) >= bytes; });
}

inline ::tcp_info tcp_info_of(const fd& n)
{
  ::tcp_info info = {};
  ::socklen_t size = sizeof(info);
  checked(::getsockopt(n.get(), IPPROTO_TCP, TCP_INFO, &info, &size), "TCP_INFO");
  return info;
}

inline int tcp_state_of(const fd& n)
{
  return tcp_info_of(n).tcpi_state;
}

inline bool wait_tcp_state(const fd& n, int state)
{
  return wait_until([&] { return tcp_state_of(n) == state; });
}

inline void set_socket_option(const fd& n, int name, int value)
{
  checked(::setsockopt(n.get(), SOL_SOCKET, name, &value, sizeof(value)), "setsockopt");
}

/// A connection that holds little, and most of that at the near end.
inline ends narrow_tcp_ends()
{
  const fd listener = tcp_listener();
  set_socket_option(listener, SO_RCVBUF, 4096);
  fd near = tcp_connected_to(listener);
  set_socket_option(near, SO_SNDBUF, 65536);
  return {std::move(near), fd(checked(::accept(listener.get(), nullptr, nullptr), "accept"))};
}

/// What one end has got of a stream.
struct taken
{
  std::size_t bytes = 0;
  bool ended = false;
  int error = 0;

  /// Reads once, at most so much, if there is something.
  void take(const fd& n, std::size_t most = 65536)
  {
    if (ended || error)
      return;
    char buffer[65536];
    const ::ssize_t got = ::recv(n.get(), buffer, std::min(most, sizeof(buffer)), MSG_DONTWAIT);
    if (got > 0)
      bytes += static_cast<std::size_t>(got);
    else if (got == 0)
      ended = true;
    else if (errno != EAGAIN)
      error = errno;
  }

  /// Whether the stream came to its end, or to an error.
  bool take_all(const fd& n)
  {
    return wait_until([&] { return take(n), ended || error; });
  }
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_TCP_FACTS_HPP
