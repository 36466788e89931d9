// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Bare descriptors: the far ends of what is tested, by system calls only.

#ifndef INTERLOCK_TEST_SUPPORT_DESCRIPTOR_PAIRS_HPP
#define INTERLOCK_TEST_SUPPORT_DESCRIPTOR_PAIRS_HPP

#include <array>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace support {

inline int checked(int result, const char* what)
{
  if (result < 0)
    throw std::runtime_error(what);
  return result;
}

/// One descriptor, closed in the end.
class fd
{
public:
  fd() = default;

  explicit fd(int n) noexcept
    : fd_(n)
  {
  }

  fd(fd&& other) noexcept
    : fd_(other.release())
  {
  }

  fd& operator=(fd&& other) noexcept
  {
    reset(other.release());
    return *this;
  }

  ~fd()
  {
    reset();
  }

  int get() const noexcept
  {
    return fd_;
  }

  int release() noexcept
  {
    return std::exchange(fd_, -1);
  }

  void reset(int n = -1) noexcept
  {
    const int old = std::exchange(fd_, n);
    if (old >= 0)
      ::close(old);
  }

private:
  int fd_ = -1;
};

/// What is connected. Of a pipe `near` is the end to read from.
struct ends
{
  fd near;
  fd far;
};

inline ends unix_ends()
{
  int pair[2];
  checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), "socketpair");
  return {fd(pair[0]), fd(pair[1])};
}

inline ends pipe_ends()
{
  int pair[2];
  checked(::pipe2(pair, O_CLOEXEC), "pipe2");
  return {fd(pair[0]), fd(pair[1])};
}

/// Listens on 127.0.0.1, at a port of the system's choice.
inline fd tcp_listener(int backlog = 16)
{
  fd listener(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  ::sockaddr_in any = {};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  checked(::bind(listener.get(), reinterpret_cast<::sockaddr*>(&any), sizeof(any)), "bind");
  checked(::listen(listener.get(), backlog), "listen");
  return listener;
}

inline ::sockaddr_in address_of(const fd& n)
{
  ::sockaddr_in address = {};
  ::socklen_t size = sizeof(address);
  checked(::getsockname(n.get(), reinterpret_cast<::sockaddr*>(&address), &size), "getsockname");
  return address;
}

inline fd tcp_connected_to(const fd& listener)
{
  fd n(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  const ::sockaddr_in address = address_of(listener);
  checked(
    ::connect(n.get(), reinterpret_cast<const ::sockaddr*>(&address), sizeof(address)), "connect");
  return n;
}

inline ends tcp_ends()
{
  const fd listener = tcp_listener();
  fd near = tcp_connected_to(listener);
  return {std::move(near), fd(checked(::accept(listener.get(), nullptr, nullptr), "accept"))};
}

/// What nothing can be delivered over: no stream, or no connection.
struct undeliverable_fds
{
  fd udp{checked(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket")};
  fd fresh{checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")};
  fd listener = tcp_listener();
  ends pipe = pipe_ends();

  std::array<const fd*, 4> all() const
  {
    return {&udp, &fresh, &listener, &pipe.far};
  }
};

inline void send_text(const fd& n, const std::string& text)
{
  if (::write(n.get(), text.data(), text.size()) != static_cast<::ssize_t>(text.size()))
    throw std::runtime_error("write");
}

/// The near end has unread input, which may hold descriptors: the library takes its close(2) for one that can block.
inline ends unread_ends()
{
  ends e = unix_ends();
  send_text(e.far, "x");
  return e;
}

/// Sends until there is no room any more.
inline std::size_t fill(int n)
{
  static const char zeros[65536] = {};
  std::size_t sum = 0;
  for (;;)
  {
    const ::ssize_t sent = ::send(n, zeros, sizeof(zeros), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0)
      return sum;
    sum += static_cast<std::size_t>(sent);
  }
}

/// Reads what is there without waiting, and returns how much.
inline std::size_t drain(const fd& n)
{
  char buffer[65536];
  std::size_t sum = 0;
  for (;;)
  {
    const ::ssize_t got = ::recv(n.get(), buffer, sizeof(buffer), MSG_DONTWAIT);
    if (got <= 0)
      return sum;
    sum += static_cast<std::size_t>(got);
  }
}

/// The end of the stream, or an error, is there: the other side has been closed.
inline bool hung_up(const fd& n)
{
  ::pollfd p = {n.get(), POLLIN | POLLRDHUP, 0};
  return ::poll(&p, 1, 0) == 1 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_DESCRIPTOR_PAIRS_HPP
