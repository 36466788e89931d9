// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The synchronous calls behind the members of sockets and acceptors. They make system calls on the
// descriptor, because Asio's own functions would write, without a lock, what its initiations read in other
// threads; open and assign use Asio's, before other threads see the tenure. The errors are those of Asio's.

#ifndef INTERLOCK_DETAIL_MEMBERS_SOCKET_CALLS_HPP
#define INTERLOCK_DETAIL_MEMBERS_SOCKET_CALLS_HPP

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <limits>
#include <optional>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/error.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/io_core.hpp>
#include <interlock/detail/descriptor/calls.hpp>
#include <interlock/detail/members/blocking_transfers.hpp>
#include <interlock/detail/members/common_calls.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// Whether the peer ended the connection before it was accepted.
inline bool is_aborted_connection(const error_code& ec) noexcept
{
  return ec == boost::asio::error::connection_aborted
    || (ec.value() == EPROTO && ec.category() == boost::system::system_category());
}

/// A descriptor that the object has not made itself.
struct assigned_descriptor
{
  int fd;
  bool is_borrowed = false;
  bool is_tainted = true; ///< Other code may have changed what its close(2) does.
};

/// Delays attempts to send to a peer whose queue is full. poll(2) reports an unconnected AF_UNIX socket as
/// ready all the time, because it has no event for the peer's queue: from the second refusal on, attempts
/// are one millisecond apart. Other sockets rarely see a second one: poll(2) waits until there is room.
class full_queue
{
public:
  /// A cancellation point.
  void before_attempt() const
  {
    if (refusals_ > 1)
      ::poll(nullptr, 0, 1);
  }

  void after_attempt(const error_code& ec) noexcept
  {
    if (calls::would_block(ec))
      ++refusals_;
  }

private:
  unsigned refusals_ = 0;
};

namespace functions {

template <class Core, class Protocol>
error_code open_socket(Core& core, const Protocol& protocol, error_code& ec)
{
  core.open(ec, descriptor_owner::object,
    [&](auto& t, error_code& e)
    {
      t.inner().open(protocol, e);
      if (detail::descriptors_may_have_come(t, e))
        t.inner().open(protocol, e);
      if (!e)
        t.set_protocol(protocol);
    });
  return ec;
}

template <class Core, class Protocol>
error_code assign_socket(
  Core& core, const Protocol& protocol, const assigned_descriptor& d, error_code& ec)
{
  core.open(ec, descriptor_owner::caller,
    [&](auto& t, error_code& e)
    {
      t.set_borrowed(d.is_borrowed);
      if (d.is_tainted)
        t.marks().taint();
      t.inner().assign(protocol, d.fd, e);
      if (!e)
        t.set_protocol(protocol);
    });
  return ec;
}

template <class Core, class Endpoint>
error_code bind_socket(Core& core, const Endpoint& endpoint, error_code& ec)
{
  core.inside(ec,
    [&](auto& t, error_code& e)
    { calls::bind(t.fd(), endpoint.data(), static_cast<::socklen_t>(endpoint.size()), e); });
  return ec;
}

/// Repeats `connect(ec)` until it has succeeded or failed. A blocking socket goes on with what an earlier call has
/// started, which a signal has ended, and waits for room in the queue of an AF_UNIX listener.
template <class Tenure, class Connect>
void connect_inside(Tenure& t, bool is_blocking, Connect connect, error_code& ec)
{
  const bool waits_for_room = is_blocking && t.protocol().family() == AF_UNIX;
  blocked_call call(t);
  bool has_waited = false;
  for (connect(ec);; connect(ec))
  {
    const bool is_full = waits_for_room && calls::would_block(ec);
    const bool is_under_way = ec == boost::asio::error::in_progress
      || ((is_blocking || has_waited) && ec == boost::asio::error::already_started);
    if (!is_full && !is_under_way)
      break;
    has_waited = has_waited || is_under_way;
    if (is_full ? !call.pause(ec) : !call.wait(POLLOUT, ec))
      return;
  }
  if (has_waited && ec == boost::asio::error::already_connected)
    ec = error_code();
  if (calls::would_block(ec))
    ec = boost::asio::error::no_buffer_space;
}

/// Waits for a connect that has started, also in non-blocking mode, as Asio does. A second connect(2) gets
/// its result, because after SO_ERROR alone the kernel would still treat the socket as connecting. The socket is
/// O_NONBLOCK for that time.
template <class Core, class Endpoint>
error_code connect_socket(Core& core, const Endpoint& peer, error_code& ec)
{
  core.inside(ec,
    [&](auto& t, error_code& e)
    {
      const bool is_blocking = t.is_blocking();
      const auto mode = t.connect_without_blocking(e);
      if (e)
        return;
      const auto connect = [&](error_code& failed)
      { calls::connect(t.fd(), peer.data(), static_cast<::socklen_t>(peer.size()), failed); };
      functions::connect_inside(t, is_blocking, connect, e);
      if (!e)
        t.errors().begin_connection();
    });
  return ec;
}

template <class Tenure>
void shut_down(Tenure& t, int what, error_code& ec)
{
  if (what != SHUT_RD)
    t.errors().end_writing();
  calls::shutdown(t.fd(), what, ec);
}

/// Whether the option is enable_connection_aborted: Asio's own, unknown to the system. It decides whether
/// a synchronous accept reports an is_aborted_connection, or accepts the next. async_accept reports it only if the
/// acceptor had the option before it came from Asio's.
template <class Option, class Protocol>
bool is_connection_aborted(const Option& option, const Protocol& protocol)
{
  const boost::asio::socket_base::enable_connection_aborted special;
  return option.level(protocol) == special.level(protocol)
    && option.name(protocol) == special.name(protocol);
}

/// Whether the option is SO_LINGER, which would make close(2) wait. If on, the tenure keeps it, and the
/// descriptor does not get it: the worker waits before close(2) instead, or resets if the time is zero.
template <class Option, class Protocol>
bool is_linger(const Option& option, const Protocol& protocol)
{
  return option.level(protocol) == SOL_SOCKET && option.name(protocol) == SO_LINGER
    && option.size(protocol) == sizeof(::linger);
}

/// A negative time means for ever, as in the kernel.
template <class Tenure>
void set_linger(Tenure& t, const ::linger& l, error_code& ec)
{
  if (l.l_onoff)
    t.set_linger(linger_setting::on(l.l_linger < 0 ? std::numeric_limits<int>::max() : l.l_linger));
  else
  {
    calls::set_option(t.fd(), SOL_SOCKET, SO_LINGER, &l, sizeof(l), ec);
    t.set_linger(linger_setting::off());
  }
}

constexpr bool leaves_close_of_tcp_alone(int name) noexcept
{
#if defined(TCP_KEEPIDLE) && defined(TCP_USER_TIMEOUT) && defined(TCP_QUICKACK) && defined(TCP_CORK)
  if (name == TCP_KEEPIDLE || name == TCP_USER_TIMEOUT || name == TCP_QUICKACK || name == TCP_CORK)
    return true;
#endif
#if defined(TCP_DEFER_ACCEPT) && defined(TCP_FASTOPEN)
  if (name == TCP_DEFER_ACCEPT || name == TCP_FASTOPEN)
    return true;
#endif
  return name == TCP_NODELAY || name == TCP_KEEPINTVL || name == TCP_KEEPCNT;
}

/// Whether this option of the socket leaves its close(2) as it is. False if the option is not known here; and for
/// SO_RCVLOWAT, so that a synchronous read asks for it.
constexpr bool leaves_close_alone(int level, int name) noexcept
{
  switch (level)
  {
  case SOL_SOCKET:
    return name == SO_REUSEADDR || name == SO_KEEPALIVE || name == SO_BROADCAST || name == SO_DEBUG
      || name == SO_DONTROUTE || name == SO_RCVBUF || name == SO_SNDBUF || name == SO_SNDLOWAT
      || name == SO_OOBINLINE || name == SO_RCVTIMEO || name == SO_SNDTIMEO
#if defined(SO_PRIORITY)
      || name == SO_PRIORITY
#endif
#if defined(SO_REUSEPORT)
      || name == SO_REUSEPORT
#endif
      ;
  case IPPROTO_TCP:
    return leaves_close_of_tcp_alone(name);
  case IPPROTO_IP:
    return name == IP_TTL || name == IP_TOS || name == IP_MULTICAST_TTL || name == IP_MULTICAST_LOOP
      || name == IP_MULTICAST_IF || name == IP_ADD_MEMBERSHIP || name == IP_DROP_MEMBERSHIP;
  case IPPROTO_IPV6:
    return name == IPV6_V6ONLY || name == IPV6_UNICAST_HOPS || name == IPV6_MULTICAST_HOPS
      || name == IPV6_MULTICAST_LOOP || name == IPV6_MULTICAST_IF || name == IPV6_JOIN_GROUP
      || name == IPV6_LEAVE_GROUP;
  default:
    return false;
  }
}

template <class Tenure, class Option, class Protocol>
void set_on_descriptor(Tenure& t, const Option& option, const Protocol& p, error_code& ec)
{
  if (!leaves_close_alone(option.level(p), option.name(p)))
    t.marks().taint();
  calls::set_option(t.fd(), option.level(p), option.name(p), option.data(p), option.size(p), ec);
}

template <class Core, class Option>
error_code set_socket_option(Core& core, const Option& option, error_code& ec)
{
  core.inside(ec,
    [&](auto& t, error_code& e)
    {
      const auto& p = t.protocol();
      if (t.linger().is_supported() && functions::is_linger(option, p))
        functions::set_linger(
          t, *static_cast<const ::linger*>(static_cast<const void*>(option.data(p))), e);
      else if (!functions::is_connection_aborted(option, p))
        functions::set_on_descriptor(t, option, p, e);
      else if (option.size(p) == sizeof(int))
        t.flags().connection_aborted =
          *static_cast<const int*>(static_cast<const void*>(option.data(p))) != 0;
      else
        e = boost::asio::error::invalid_argument;
    });
  return ec;
}

/// SO_ERROR takes the error out of the socket.
template <class Tenure, class Option, class Protocol>
void get_from_descriptor(
  Tenure& t, Option& option, const Protocol& p, std::size_t& size, error_code& ec)
{
  calls::get_option(t.fd(), option.level(p), option.name(p), option.data(p), &size, ec);
  int error = 0;
  if (ec || option.level(p) != SOL_SOCKET || option.name(p) != SO_ERROR || size != sizeof(error))
    return;
  std::memcpy(&error, option.data(p), sizeof(error));
  t.errors().note(error_code(error, boost::system::system_category()));
}

template <class Core, class Option>
error_code get_socket_option(Core& core, Option& option, error_code& ec)
{
  core.inside(ec,
    [&](auto& t, error_code& e)
    {
      const auto& p = t.protocol();
      std::size_t size = option.size(p);
      const linger_setting linger = t.linger();
      if (linger.is_on() && functions::is_linger(option, p))
        *static_cast<::linger*>(static_cast<void*>(option.data(p))) = {1, linger.seconds()};
      else if (!functions::is_connection_aborted(option, p))
        functions::get_from_descriptor(t, option, p, size, e);
      else if (size == sizeof(int))
        *static_cast<int*>(static_cast<void*>(option.data(p))) = t.flags().connection_aborted ? 1
                                                                                              : 0;
      else
        e = boost::asio::error::invalid_argument;
      if (!e)
        option.resize(p, size);
    });
  return ec;
}

template <class Endpoint, class Core, class Name>
Endpoint endpoint_from(Core& core, Name name, error_code& ec)
{
  Endpoint endpoint;
  core.inside(ec,
    [&](auto& t, error_code& e)
    {
      ::socklen_t size = static_cast<::socklen_t>(endpoint.capacity());
      name(t.fd(), endpoint.data(), &size, e);
      if (!e)
        endpoint.resize(size);
    });
  return ec ? Endpoint() : endpoint;
}

template <class Core, class Buffers>
std::size_t send(Core& core, const Buffers& buffers, int flags, error_code& ec)
{
  const std::size_t sent = functions::write_blocking(core, buffers, flags, ec,
    [flags](int fd, calls::pieces& from, error_code& e)
    { return calls::send(fd, from, flags, e); });
  if constexpr (can_deliver<typename Core::inner_type>::value)
  {
    if (ec)
      core.note_failed_write(ec);
  }
  return sent;
}

template <class Core, class Buffers, class Endpoint>
std::size_t send_to(
  Core& core, const Buffers& buffers, const Endpoint& destination, int flags, error_code& ec)
{
  full_queue queue;
  return functions::write_blocking(core, buffers, flags, ec,
    [&destination, flags, &queue](int fd, calls::pieces& from, error_code& e)
    {
      queue.before_attempt();
      const std::size_t n = calls::send_to(
        fd, from, flags, destination.data(), static_cast<::socklen_t>(destination.size()), e);
      queue.after_attempt(e);
      return n;
    });
}

template <class Core, class Buffers, class Endpoint>
std::size_t receive_from(
  Core& core, const Buffers& buffers, Endpoint& sender, int flags, error_code& ec)
{
  return functions::read_blocking(core, buffers, ec,
    [&sender, flags](int fd, calls::pieces& into, error_code& e)
    {
      ::socklen_t size = static_cast<::socklen_t>(sender.capacity());
      const std::size_t n = calls::receive_from(fd, into, flags, sender.data(), &size, e);
      if (!e)
        sender.resize(size);
      return n;
    });
}

template <class Core, class Buffers>
std::size_t receive_message(
  Core& core, const Buffers& buffers, int in_flags, int& out_flags, error_code& ec)
{
  return functions::read_blocking(core, buffers, ec,
    [in_flags, &out_flags](int fd, calls::pieces& into, error_code& e)
    { return calls::receive_message(fd, into, in_flags, out_flags, e); });
}

/// Returns the accepted descriptor, and its protocol, or -1. `peer` may be null.
template <class Core, class Endpoint, class Protocol>
assigned_descriptor accept_descriptor(
  Core& core, Endpoint* peer, std::optional<Protocol>& protocol, error_code& ec)
{
  assigned_descriptor accepted = {no_descriptor, false, true};
  accepted.fd = core.blocking(POLLIN, ec,
    [peer, &protocol, &accepted](auto& t, error_code& e)
    {
      protocol.emplace(t.protocol());
      t.prepare(e);
      if (e)
        return no_descriptor;
      const auto accept = [&]
      {
        ::socklen_t size = peer ? static_cast<::socklen_t>(peer->capacity()) : 0;
        const int fd = calls::accept(
          t.fd(), peer ? peer->data() : nullptr, peer ? &size : nullptr, e);
        if (peer && !e)
          peer->resize(size);
        return fd;
      };
      int fd = accept();
      if (detail::descriptors_may_have_come(t, e))
        fd = accept();
      while (is_aborted_connection(e) && !t.flags().connection_aborted)
        fd = accept();
      accepted.is_tainted = t.marks().is_tainted();
      return fd;
    });
  return ec ? assigned_descriptor{no_descriptor, false, true} : accepted;
}

} // namespace functions
} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_MEMBERS_SOCKET_CALLS_HPP
