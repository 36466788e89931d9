// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The peers' side of TCP: a listener to connect to, and clients for an acceptor under test.
//
// The acceptor's port stays reserved while the acceptor is closed, so that no other listener
// can take it. Far ends reset their connections, so that no port is kept in TIME_WAIT.

#ifndef INTERLOCK_TEST_STRESS_STRESS_TCP_ENDS_HPP
#define INTERLOCK_TEST_STRESS_STRESS_TCP_ENDS_HPP

#include <cstdint>
#include <stdexcept>

#include <netinet/in.h>
#include <sys/socket.h>

#include "stress/stress_peers.hpp"
#include "stress/stress_system_calls.hpp"

namespace stress {

/// A TCP socket of the test's own, bound to a free port of the loopback address.
class bound_port
{
public:
  bound_port()
    : fd_(really::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0))
  {
    const int on = 1;
    ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    ::sockaddr_in address = loopback(0);
    ::socklen_t size = sizeof(address);
    if (::bind(fd_, reinterpret_cast<::sockaddr*>(&address), size) != 0
      || ::getsockname(fd_, reinterpret_cast<::sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("no port");
    port_ = ntohs(address.sin_port);
  }

  bound_port(const bound_port&) = delete;
  bound_port& operator=(const bound_port&) = delete;

  ~bound_port()
  {
    really::close(fd_);
  }

  static ::sockaddr_in loopback(std::uint16_t port) noexcept
  {
    ::sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
  }

  int fd() const noexcept
  {
    return fd_;
  }

  std::uint16_t port() const noexcept
  {
    return port_;
  }

private:
  int fd_;
  std::uint16_t port_ = 0;
};

class tcp_ends
{
public:
  explicit tcp_ends(peers& p)
    : peers_(p)
  {
    if (::listen(listener_.fd(), 64) != 0)
      throw std::runtime_error("cannot listen");
  }

  /// Where the objects under test may connect to.
  std::uint16_t listening_port() const noexcept
  {
    return listener_.port();
  }

  /// Where the acceptor under test is to listen.
  std::uint16_t acceptor_port() const noexcept
  {
    return reserved_.port();
  }

  /// On the peers' thread: accepts the connections that have come, and sends another client.
  void turn()
  {
    int fd = -1;
    while (
      (fd = really::accept4(listener_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
      add(fd);
    if (peers_.size() < most_peers)
      send_client();
  }

private:
  static constexpr std::size_t most_peers = 48;

  void send_client()
  {
    const int fd = really::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
      return;
    const ::sockaddr_in address = bound_port::loopback(acceptor_port());
    // In progress; where no socket listens the peer is found to be over in the next turn.
    if (::connect(fd, reinterpret_cast<const ::sockaddr*>(&address), sizeof(address)) == 0
      || errno == EINPROGRESS)
      add(fd);
    else
      really::close(fd);
  }

  void add(int fd)
  {
    const ::linger reset = {1, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    peers_.add(fd, nobody);
  }

  peers& peers_;
  bound_port listener_;
  bound_port reserved_;
};

} // namespace stress

#endif // INTERLOCK_TEST_STRESS_STRESS_TCP_ENDS_HPP
