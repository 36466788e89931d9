// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The protocol for which Asio's templates are specialised. Code written over a Protocol (async_connect,
// ssl::stream, beast::basic_stream) thereby works with objects that any thread may close.

#ifndef INTERLOCK_CLOSABLE_HPP
#define INTERLOCK_CLOSABLE_HPP

#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>

#include <interlock/basic_datagram_socket.hpp>
#include <interlock/basic_raw_socket.hpp>
#include <interlock/basic_seq_packet_socket.hpp>
#include <interlock/basic_socket_acceptor.hpp>
#include <interlock/basic_stream_socket.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/members/socket_template.hpp>

namespace interlock {
inline namespace abi_0 {

namespace detail {

template <class T>
struct is_closable : std::false_type
{
};

template <class Protocol>
struct is_closable<closable<Protocol>> : std::true_type
{
};

template <class T, class = void>
struct is_protocol : std::false_type
{
};

template <class T>
struct is_protocol<T,
  std::void_t<typename T::endpoint, decltype(std::declval<const T&>().type()),
    decltype(std::declval<const T&>().protocol()), decltype(std::declval<const T&>().family())>>
  : std::true_type
{
};

template <class T, class = void>
struct has_known_socket : std::false_type
{
};

template <class T>
struct has_known_socket<T, std::void_t<typename T::socket>>
  : std::bool_constant<socket_template<typename T::socket>::is_known>
{
};

/// Replaces a refused protocol, so that the compiler reports little besides the failed static_assert.
struct refused_protocol
{
  using endpoint = int;
  using socket = boost::asio::basic_stream_socket<refused_protocol>;
};

template <class Protocol>
using accepted_protocol =
  std::conditional_t<is_protocol<Protocol>::value && has_known_socket<Protocol>::value, Protocol,
    refused_protocol>;

namespace bases {

/// The protocol with closable sockets, and closable acceptors if it has acceptors.
template <class Protocol, class Closable, class = void>
struct closable_base : Protocol
{
  using Protocol::Protocol;

  /// The socket that any thread may close.
  using socket =
    typename socket_template<typename Protocol::socket>::template with_protocol<Closable>;

  closable_base() = default;

  closable_base(const Protocol& p)
    : Protocol(p)
  {
  }
};

template <class Protocol, class Closable>
struct closable_base<Protocol, Closable, std::void_t<typename Protocol::acceptor>>
  : closable_base<Protocol, Closable, int>
{
  using closable_base<Protocol, Closable, int>::closable_base;

  /// The acceptor that any thread may close.
  using acceptor = boost::asio::basic_socket_acceptor<Closable>;
};

} // namespace bases
} // namespace detail

/// Asio's protocol @c Protocol, with sockets and acceptors that any thread may close.
/**
 * Everything else (endpoint, resolver, options, v4(), v6()) is Asio's own, and Asio's protocol
 * converts to this one. @c socket is of the same kind as in @c Protocol: a stream, datagram, raw or
 * sequenced packet socket.
 *
 * @example_of{example/objects.cpp,objects_closable}
 */
template <class Protocol>
struct closable
  : detail::bases::closable_base<detail::accepted_protocol<Protocol>, closable<Protocol>>
{
  static_assert(!detail::is_closable<Protocol>::value,
    "interlock::closable<P>: P is closable already; give Asio's protocol");
  static_assert(detail::is_protocol<Protocol>::value,
    "interlock::closable<P>: P is no protocol; it needs endpoint, type(), protocol() and family()");
  static_assert(!detail::is_protocol<Protocol>::value || detail::has_known_socket<Protocol>::value,
    "interlock::closable<P>: P::socket has to be Asio's basic_stream_socket, basic_datagram_socket, "
    "basic_raw_socket or basic_seq_packet_socket");

private:
  using interlock_base =
    detail::bases::closable_base<detail::accepted_protocol<Protocol>, closable<Protocol>>;

public:
  using interlock_base::interlock_base;

  /// Convert from Asio's protocol, or from one that converts to it.
  /**
   * @param p Asio's protocol.
   */
  template <class Protocol1,
    class = std::enable_if_t<std::is_convertible<const Protocol1&, Protocol>::value>>
  closable(const Protocol1& p)
    : interlock_base(Protocol(p))
  {
  }

  /// Construct a protocol whose Asio protocol is default constructible.
  closable() = default;
};

/// The stream socket of Asio's protocol @c Protocol that any thread may close.
template <class Protocol, class Executor = boost::asio::any_io_executor>
using basic_stream_socket = boost::asio::basic_stream_socket<closable<Protocol>, Executor>;

/// The datagram socket of Asio's protocol @c Protocol that any thread may close.
template <class Protocol, class Executor = boost::asio::any_io_executor>
using basic_datagram_socket = boost::asio::basic_datagram_socket<closable<Protocol>, Executor>;

/// The raw socket of Asio's protocol @c Protocol that any thread may close.
template <class Protocol, class Executor = boost::asio::any_io_executor>
using basic_raw_socket = boost::asio::basic_raw_socket<closable<Protocol>, Executor>;

/// The sequenced packet socket of Asio's protocol @c Protocol that any thread may close.
template <class Protocol, class Executor = boost::asio::any_io_executor>
using basic_seq_packet_socket = boost::asio::basic_seq_packet_socket<closable<Protocol>, Executor>;

/// The acceptor of Asio's protocol @c Protocol that any thread may close.
template <class Protocol, class Executor = boost::asio::any_io_executor>
using basic_socket_acceptor = boost::asio::basic_socket_acceptor<closable<Protocol>, Executor>;

} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_CLOSABLE_HPP
