// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/descriptor/socket_facts.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#if defined(__linux__)
#include <linux/sockios.h>
#endif

#include <interlock/detail/descriptor/calls.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

#if defined(__linux__)

namespace {

/// False if the socket has no such queue.
bool queue_size(int fd, unsigned long which, std::size_t& size) noexcept
{
  int value = 0;
  if (sys::ioctl(fd, which, &value) != 0)
    return false;
  size = static_cast<std::size_t>(std::max(value, 0));
  return true;
}

// The beginning of struct tcp_info is enough, and has been the same in every kernel.
struct tcp_info_head
{
  unsigned char state;
  unsigned char congestion_state;
  unsigned char retransmits;
  unsigned char probes;
  unsigned char backoff;
  unsigned char flags[3];
  unsigned counters[15];
  unsigned round_trip; // a first sample is taken when a connection is established
};

// The same up to the bytes, which kernels have told since 4.1.
struct tcp_info_bytes
{
  tcp_info_head head;
  unsigned counters[8];
  std::uint64_t rates[2];
  std::uint64_t acknowledged;
  std::uint64_t received;
};

// In place of a known error.
constexpr int left_alone = -1;

/// Why a socket has failed: what is `known`, or what it says.
int error_of(int fd, int known) noexcept
{
  return known ? known : calls::int_option(fd, SOL_SOCKET, SO_ERROR, 0);
}

/// Whether poll(2) reports this event, which it does unasked.
bool has_event(int fd, short event) noexcept
{
  return (calls::events_now(fd, 0) & event) != 0;
}

/// Why TCP has ended, if the socket does not say. Where everything has been acknowledged, no error has kept it from
/// that.
int assumed_error(const tcp_info_head& info, std::size_t queued) noexcept
{
  if (info.round_trip == 0)
    return ECONNREFUSED;
  if (queued == 0)
    return 0;
  return (info.retransmits | info.probes) != 0 ? ETIMEDOUT : ECONNRESET;
}

void look_at_tcp(int fd, int known_error, socket_facts& facts) noexcept
{
  tcp_info_head info = {};
  ::socklen_t size = sizeof(info);
  if (sys::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
    return;
  if (!queue_size(fd, SIOCOUTQ, facts.queued) && info.state != TCP_LISTEN)
    return;
  facts.state = info.state <= TCP_CLOSING ? static_cast<tcp_state>(info.state)
                                          : tcp_state::syn_received;
  facts.retrying = (info.retransmits | info.probes | info.backoff) != 0;
  if (facts.state != tcp_state::close)
    return;
  const bool asks = known_error != left_alone;
  facts.error = asks ? error_of(fd, known_error) : 0;
  // A write to what was never connected fails with EPIPE as well.
  const bool may_be_unconnected = facts.error == EPIPE || facts.error == ETIMEDOUT;
  if (may_be_unconnected && info.round_trip == 0)
    facts.error = ECONNREFUSED;
  if (facts.error == 0 && (!asks || facts.queued != 0))
    facts.error = assumed_error(info, facts.queued);
}

void look_at_unix(int fd, int known_error, socket_facts& facts) noexcept
{
  ::sockaddr_storage peer;
  ::socklen_t size = sizeof(peer);
  facts.connected = queue_size(fd, SIOCOUTQ, facts.queued)
    && sys::getpeername(fd, reinterpret_cast<::sockaddr*>(&peer), &size) == 0;
  if (known_error != left_alone)
    facts.error = error_of(fd, known_error);
  // POLLERR: also if something else is in its queue of errors, such as the time at which something was sent.
  else if (has_event(fd, POLLERR))
    facts.error = ECONNRESET;
}

} // namespace

transport transport_of(int fd) noexcept
{
  if (calls::int_option(fd, SOL_SOCKET, SO_TYPE, -1) != SOCK_STREAM)
    return transport::other;
  const int domain = calls::int_option(fd, SOL_SOCKET, SO_DOMAIN, -1);
  const int protocol = calls::int_option(fd, SOL_SOCKET, SO_PROTOCOL, -1);
  if (domain == AF_UNIX)
    return transport::unix_stream;
  return (domain == AF_INET || domain == AF_INET6) && protocol == IPPROTO_TCP ? transport::tcp
                                                                              : transport::other;
}

bool has_hung_up(int fd) noexcept
{
  return has_event(fd, POLLHUP);
}

socket_facts look(int fd, transport kind, int known_error) noexcept
{
  socket_facts facts;
  facts.kind = kind;
  if (kind == transport::tcp)
    look_at_tcp(fd, known_error, facts);
  else if (kind == transport::unix_stream)
    look_at_unix(fd, known_error, facts);
  return facts;
}

socket_facts look_and_leave(int fd, transport kind) noexcept
{
  return look(fd, kind, left_alone);
}

std::size_t output_queue(int fd) noexcept
{
  std::size_t size = 0;
  queue_size(fd, SIOCOUTQ, size);
  return size;
}

traffic traffic_of(int fd) noexcept
{
  tcp_info_bytes info = {};
  ::socklen_t size = sizeof(info);
  sys::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size);
  return {output_queue(fd), info.acknowledged, info.received};
}

std::size_t unsent_bytes(int fd, transport kind) noexcept
{
  std::size_t size = 0;
  if (kind == transport::tcp)
    queue_size(fd, SIOCOUTQNSD, size);
  return size;
}

#else

// Elsewhere no socket tells: a delivery is over before it begins.

transport transport_of(int) noexcept
{
  return transport::other;
}

bool has_hung_up(int) noexcept
{
  return false;
}

socket_facts look(int, transport, int) noexcept
{
  return socket_facts();
}

socket_facts look_and_leave(int, transport) noexcept
{
  return socket_facts();
}

std::size_t output_queue(int) noexcept
{
  return 0;
}

traffic traffic_of(int) noexcept
{
  return traffic();
}

std::size_t unsent_bytes(int, transport) noexcept
{
  return 0;
}

#endif

namespace {

template <std::size_t Most>
std::size_t at_most(std::uint64_t size) noexcept
{
  return static_cast<std::size_t>(std::min<std::uint64_t>(size, Most));
}

::ssize_t skip(int fd, std::uint64_t size) noexcept
{
  return sys::recv(fd, nullptr, at_most<1 << 20>(size), MSG_TRUNC | MSG_DONTWAIT);
}

::ssize_t read_away(int fd, std::uint64_t size) noexcept
{
  char buffer[16384];
  return sys::recv(fd, buffer, at_most<sizeof(buffer)>(size), MSG_DONTWAIT);
}

} // namespace

bool send_fin(int fd) noexcept
{
  return sys::shutdown(fd, SHUT_WR) == 0;
}

discarded_input discard_input(int fd, transport kind, std::uint64_t most) noexcept
{
  discarded_input result;
  while (result.bytes < most)
  {
    const ::ssize_t got = kind == transport::tcp ? skip(fd, most - result.bytes)
                                                 : read_away(fd, most - result.bytes);
    if (got <= 0)
    {
      result.ended = got == 0;
      result.error = got == 0 || errno == EAGAIN || errno == EWOULDBLOCK ? 0 : errno;
      return result;
    }
    result.bytes += static_cast<std::uint64_t>(got);
  }
  result.more = true;
  return result;
}

// The end first: nothing can come after it.
discarded_input examine_input(int fd) noexcept
{
  discarded_input result;
  const bool over = calls::has_ended(fd);
  boost::system::error_code ec;
  result.more = calls::available(fd, ec) != 0;
  result.ended = over && !result.more;
  return result;
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
