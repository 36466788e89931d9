// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The protocol through which everything fits: Asio's templates are specialised for it, so that
// whatever is written over a Protocol (async_connect, ssl::stream, beast::basic_stream) works with
// objects that may be closed from any thread.

#ifndef INTERLOCK_CLOSABLE_HPP
#define INTERLOCK_CLOSABLE_HPP

#include <type_traits>

#include <interlock/basic_socket_acceptor.hpp>
#include <interlock/basic_stream_socket.hpp>
#include <interlock/config.hpp>

namespace interlock
{
inline namespace abi_0
{

namespace detail
{

/// The protocol, its acceptor replaced where it has one.
template <class Protocol, class Closable, class = void>
struct closable_base : Protocol
{
  using Protocol::Protocol;

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

  /// The acceptor that may be closed from any thread.
  using acceptor = boost::asio::basic_socket_acceptor<Closable>;
};

} // namespace detail

/// Asio's protocol @c Protocol, with sockets and acceptors that may be closed from any thread.
/**
 * Everything else (endpoint, resolver, options, v4(), v6()) is Asio's own, and Asio's protocol
 * converts to this one.
 *
 * @par Example
 * @code
 * using tcp = interlock::closable<boost::asio::ip::tcp>; // also interlock::ip::tcp
 * tcp::socket s(context);
 * boost::asio::connect(s, tcp::resolver(context).resolve("example.org", "http"));
 * std::thread watchdog([&s] { s.close(); });
 * @endcode
 */
template <class Protocol>
struct closable : detail::closable_base<Protocol, closable<Protocol>>
{
private:
  using base = detail::closable_base<Protocol, closable<Protocol>>;

public:
  using base::base;

  /// The socket that may be closed from any thread.
  using socket = boost::asio::basic_stream_socket<closable>;

  /// Convert from Asio's protocol, or from one that converts to it.
  template <class Protocol1,
    class = std::enable_if_t<std::is_convertible<const Protocol1&, Protocol>::value>>
  closable(const Protocol1& p)
    : base(Protocol(p))
  {
  }

  /// For protocols that are default constructible.
  closable() = default;
};

} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_CLOSABLE_HPP
