// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The far ends of what the world opens, plain descriptors, and the descriptors that no operation may touch. What a peer
// sends says of which tenure it is and where it stands in the stream; what an object writes says by which call.

#ifndef INTERLOCK_TEST_FUZZ_PEERS_HPP
#define INTERLOCK_TEST_FUZZ_PEERS_HPP

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz/model.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/tcp_facts.hpp"

namespace fuzz {

using support::fd;

/// What a descriptor refers to, so that one that was closed is known from the next with its number.
struct file_identity
{
  ::dev_t device = 0;
  ::ino_t number = 0;

  explicit file_identity(int n)
  {
    struct ::stat s = {};
    if (::fstat(n, &s) == 0)
    {
      device = s.st_dev;
      number = s.st_ino;
    }
  }

  bool operator==(const file_identity& other) const
  {
    return device == other.device && number == other.number;
  }
};

inline unsigned char sent_byte(std::size_t tenure, std::uint64_t position)
{
  return static_cast<unsigned char>(tenure * 67 + position % 251);
}

/// The next of the addresses 127.1.0.1 to 127.1.255.254, so that pairs of ports do not run out.
inline ::in_addr_t next_address()
{
  static std::uint32_t n = 0;
  n = n % 65000 + 1;
  return htonl(0x7f010000 + n);
}

/// Listens on every address of this machine, as long as the process lasts.
inline const fd& meeting_place()
{
  static const fd listener = []
  {
    fd n(support::checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    support::set_socket_option(n, SO_RCVBUF, 8192);
    support::set_socket_option(n, SO_SNDBUF, 8192);
    support::checked(::listen(n.get(), 128), "listen");
    return n;
  }();
  return listener;
}

inline ::sockaddr_in address_at(std::uint16_t port)
{
  ::sockaddr_in a = {};
  a.sin_family = AF_INET;
  a.sin_addr.s_addr = next_address();
  a.sin_port = port;
  return a;
}

/// A client of a listener at this port, whichever address it has.
inline fd connected_to(std::uint16_t port)
{
  fd n(support::checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  support::set_socket_option(n, SO_SNDBUF, 8192);
  const ::sockaddr_in a = address_at(port);
  support::checked(
    ::connect(n.get(), reinterpret_cast<const ::sockaddr*>(&a), sizeof(a)), "connect");
  return n;
}

/// The other end of a connection or of a pipe.
class peer
{
public:
  peer(fd n, tenure& t)
    : fd_(std::move(n)),
      tenure_(&t)
  {
  }

  tenure& of() const
  {
    return *tenure_;
  }

  bool is_open() const
  {
    return fd_.get() >= 0;
  }

  void write(std::size_t size)
  {
    if (!is_open() || tenure_->peer_ended)
      return;
    std::vector<unsigned char> bytes(size);
    for (std::size_t i = 0; i != size; ++i)
      bytes[i] = sent_byte(tenure_->number, tenure_->peer_sent + i);
    const ::ssize_t n = tenure_->what == kind::pipe
      ? (set_non_blocking(), ::write(fd_.get(), bytes.data(), size))
      : ::send(fd_.get(), bytes.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0)
      tenure_->peer_sent += static_cast<std::uint64_t>(n);
  }

  /// Reads what there is, up to `most`.
  void read(std::size_t most)
  {
    std::array<unsigned char, 16384> bytes;
    while (is_open() && most != 0 && !saw_end && tenure_->is_stream())
    {
      const ::ssize_t n = ::recv(
        fd_.get(), bytes.data(), std::min(most, bytes.size()), MSG_DONTWAIT);
      if (n < 0 && errno == EAGAIN)
        return;
      saw_end = n <= 0;
      saw_error = n < 0;
      if (saw_end)
        return;
      most -= static_cast<std::size_t>(n);
      tenure_->peer_read += static_cast<std::uint64_t>(n);
      for (::ssize_t i = 0; i != n; ++i)
        ++got[bytes[static_cast<std::size_t>(i)]];
    }
  }

  void end()
  {
    if (!is_open())
      return;
    tenure_->peer_ended = true;
    if (tenure_->is_stream())
      ::shutdown(fd_.get(), SHUT_WR);
    else
      fd_.reset();
  }

  void close()
  {
    if (!is_open())
      return;
    tenure_->peer_ended = tenure_->peer_gone = true;
    fd_.reset();
  }

  /// Closes as a peer does that has read our end: nothing is lost.
  void leave()
  {
    tenure_->peer_ended = tenure_->peer_left = true;
    fd_.reset();
  }

  void reset()
  {
    if (!is_open())
      return;
    const ::linger l = {1, 0};
    if (tenure_->is_stream())
      ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &l, sizeof(l));
    tenure_->peer_was_reset = true;
    close();
  }

  /// Bytes of each call that have arrived.
  std::array<std::size_t, 256> got{};
  bool saw_end = false, saw_error = false;

private:
  void set_non_blocking() const
  {
    int on = 1;
    ::ioctl(fd_.get(), FIONBIO, &on);
  }

  fd fd_;
  tenure* tenure_;
};

/// A descriptor that no operation may touch: likely to have the number of one that was closed just before.
class stranger
{
public:
  stranger()
    : ends_(support::unix_ends()),
      near_(ends_.near.get()),
      far_(ends_.far.get())
  {
    support::send_text(ends_.far, content);
  }

  bool is_untouched() const
  {
    return file_identity(ends_.near.get()) == near_ && file_identity(ends_.far.get()) == far_
      && support::input_of(ends_.near) == content.size() && support::input_of(ends_.far) == 0;
  }

private:
  const std::string content = "untouched";
  support::ends ends_;
  file_identity near_, far_;
};

} // namespace fuzz

#endif // INTERLOCK_TEST_FUZZ_PEERS_HPP
