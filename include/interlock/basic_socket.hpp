// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The base of all sockets: Asio's basic_socket, specialised for a closable protocol.
//
// The specialisation does not derive from Asio's socket: its core (io_core) keeps that in a tenure, the time
// for which the descriptor is open. Every member goes through the core, so that no call can bypass a close.

#ifndef INTERLOCK_BASIC_SOCKET_HPP
#define INTERLOCK_BASIC_SOCKET_HPP

#include <cstddef>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/basic_socket.hpp>
#include <boost/asio/socket_base.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/initiation.hpp>
#include <interlock/detail/core/throw_if.hpp>
#include <interlock/detail/members/socket_calls.hpp>
#include <interlock/detail/members/socket_members.hpp>

namespace boost {
namespace asio {

/// A socket that any thread may close at any moment while other threads use it.
/**
 * The members are those of Asio's basic_socket. `close` and the destructor detach the descriptor from the
 * reactor, and close it if close(2) cannot block. Otherwise close(2) runs on a separate thread: for example
 * with SO_LINGER, or if an AF_UNIX socket has unread input.
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Safe, except for construction, move and destruction.
 */
template <class Protocol, class Executor>
class basic_socket<interlock::closable<Protocol>, Executor>
  : public interlock::detail::bases::socket_members<Protocol,
      interlock::detail::asio_socket<Protocol, Executor>>
{
private:
  using interlock_base = interlock::detail::bases::socket_members<Protocol,
    interlock::detail::asio_socket<Protocol, Executor>>;

protected:
  /// @cond
  using interlock_base::interlock_core_;
  /// @endcond

public:
  /// The type of the executor associated with the object.
  using executor_type = Executor;

  /// Rebinds the socket type to another executor.
  template <class Executor1>
  struct rebind_executor
  {
    /// The socket type when rebound to the specified executor.
    using other = basic_socket<interlock::closable<Protocol>, Executor1>;
  };

  using typename interlock_base::endpoint_type;
  using typename interlock_base::protocol_type;

  /// A basic_socket is always the lowest layer.
  using lowest_layer_type = basic_socket;

  /// Construct a socket, closed, open, or on an existing native socket.
  using interlock_base::interlock_base;

  /// Construct and open a socket.
  basic_socket(const executor_type& ex, const protocol_type& protocol)
    : interlock_base(ex)
  {
    this->open(protocol);
  }

  /// Construct and open a socket.
  template <class ExecutionContext, interlock::detail::if_context<ExecutionContext> = 0>
  basic_socket(ExecutionContext& context, const protocol_type& protocol)
    : interlock_base(context.get_executor())
  {
    this->open(protocol);
  }

  /// Construct and open a socket, given Asio's own protocol.
  // Without this overload the call is ambiguous for generic protocols, whose endpoints convert from any type.
  template <class Protocol1, interlock::detail::if_same<Protocol1, Protocol> = 0>
  basic_socket(const executor_type& ex, const Protocol1& protocol)
    : interlock_base(ex)
  {
    this->open(protocol);
  }

  /// Construct and open a socket, given Asio's own protocol.
  // Without this overload the call is ambiguous for generic protocols, whose endpoints convert from any type.
  template <class ExecutionContext, class Protocol1,
    interlock::detail::if_context<ExecutionContext> = 0,
    interlock::detail::if_same<Protocol1, Protocol> = 0>
  basic_socket(ExecutionContext& context, const Protocol1& protocol)
    : interlock_base(context.get_executor())
  {
    this->open(protocol);
  }

  /// Construct a socket, opening it and binding it to the given local endpoint.
  basic_socket(const executor_type& ex, const endpoint_type& endpoint)
    : interlock_base(ex)
  {
    this->open(endpoint.protocol());
    this->bind(endpoint);
  }

  /// Construct a socket, opening it and binding it to the given local endpoint.
  template <class ExecutionContext, interlock::detail::if_context<ExecutionContext> = 0>
  basic_socket(ExecutionContext& context, const endpoint_type& endpoint)
    : interlock_base(context.get_executor())
  {
    this->open(endpoint.protocol());
    this->bind(endpoint);
  }

  /// Move-construct a socket. The moved-from object is as if newly constructed with its executor.
  basic_socket(basic_socket&& other) noexcept = default;

  /// Move-assign a socket. Closes what this object has open, as its destructor does.
  basic_socket& operator=(basic_socket&& other) noexcept = default;

  /// Move-construct a socket from one of another protocol or executor type; may throw error::in_use.
  template <class Protocol1, class Executor1,
    interlock::detail::if_convertible_socket<Protocol1, Executor1, Protocol, Executor> = 0>
  basic_socket(basic_socket<interlock::closable<Protocol1>, Executor1>&& other)
    : interlock_base(other.get_executor())
  {
    interlock::detail::functions::convert_socket<Protocol>(other, interlock_core_);
  }

  /// Move-assign a socket from one of another protocol or executor type.
  template <class Protocol1, class Executor1,
    interlock::detail::if_convertible_socket<Protocol1, Executor1, Protocol, Executor> = 0>
  basic_socket& operator=(basic_socket<interlock::closable<Protocol1>, Executor1>&& other)
  {
    return *this = basic_socket(std::move(other));
  }

  /// Get a reference to the lowest layer.
  /**
   * @asio
   */
  lowest_layer_type& lowest_layer()
  {
    return *this;
  }

  /// Get a const reference to the lowest layer.
  const lowest_layer_type& lowest_layer() const
  {
    return *this;
  }

  /// Determine whether the socket is at the out-of-band data mark.
  /**
   * @asio
   * @errors{sockatmark(3)}
   */
  bool at_mark() const
  {
    return interlock::detail::functions::or_throw(
      "at_mark", [&](boost::system::error_code& ec) { return at_mark(ec); });
  }

  /// Determine whether the socket is at the out-of-band data mark.
  bool at_mark(boost::system::error_code& ec) const
  {
    return interlock_core_.inside(ec,
      [](auto& t, boost::system::error_code& e)
      { return interlock::detail::calls::at_mark(t.fd(), e); });
  }

  /// Determine the number of bytes available for reading.
  /**
   * @asio
   * @errors{ioctl(2)}
   */
  std::size_t available() const
  {
    return interlock::detail::functions::or_throw(
      "available", [&](boost::system::error_code& ec) { return available(ec); });
  }

  /// Determine the number of bytes available for reading.
  std::size_t available(boost::system::error_code& ec) const
  {
    return interlock_core_.inside(ec,
      [](auto& t, boost::system::error_code& e)
      { return interlock::detail::calls::available(t.fd(), e); });
  }

  /// Connect the socket to the specified endpoint, opening it first if it is closed.
  /**
   * @asio
   * @waiting_errors{connect(2), or of the open}
   */
  void connect(const endpoint_type& peer_endpoint)
  {
    interlock::detail::functions::or_throw(
      "connect", [&](boost::system::error_code& ec) { connect(peer_endpoint, ec); });
  }

  /// Connect the socket to the specified endpoint, opening it first if it is closed.
  boost::system::error_code connect(
    const endpoint_type& peer_endpoint, boost::system::error_code& ec)
  {
    ec = boost::system::error_code();
    if (!this->is_open())
      this->open(peer_endpoint.protocol(), ec);
    return ec ? ec
              : interlock::detail::functions::connect_socket(interlock_core_, peer_endpoint, ec);
  }

  /// Start an asynchronous connect, opening the socket first if it is closed.
  /**
   * @asio
   * @async_errors{connect(2), or of the open}
   */
  template <INTERLOCK_TOKEN_FOR(void(boost::system::error_code))
              ConnectToken = interlock::detail::default_token<Executor>>
  auto async_connect(const endpoint_type& peer_endpoint,
    ConnectToken&& token = interlock::detail::default_token<Executor>())
    -> interlock::detail::connect_result<interlock::detail::socket_core<Protocol, Executor>,
      ConnectToken, endpoint_type>
  {
    boost::system::error_code open_ec;
    if (!this->is_open())
      this->open(peer_endpoint.protocol(), open_ec);
    return boost::asio::async_initiate<ConnectToken, void(boost::system::error_code)>(
      interlock::detail::initiate_connect<interlock::detail::socket_core<Protocol, Executor>>(
        &interlock_core_),
      token, peer_endpoint, open_ec);
  }

  /// Get the remote endpoint of the socket.
  /**
   * @asio
   * @errors{getpeername(2)}
   */
  endpoint_type remote_endpoint() const
  {
    return interlock::detail::functions::or_throw(
      "remote_endpoint", [&](boost::system::error_code& ec) { return remote_endpoint(ec); });
  }

  /// Get the remote endpoint of the socket.
  endpoint_type remote_endpoint(boost::system::error_code& ec) const
  {
    return interlock::detail::functions::endpoint_from<endpoint_type>(
      interlock_core_, interlock::detail::calls::peer_name, ec);
  }

  /// Disable sends or receives on the socket.
  /**
   * @asio
   * @errors{shutdown(2)}
   */
  void shutdown(socket_base::shutdown_type what)
  {
    interlock::detail::functions::or_throw(
      "shutdown", [&](boost::system::error_code& ec) { shutdown(what, ec); });
  }

  /// Disable sends or receives on the socket.
  boost::system::error_code shutdown(socket_base::shutdown_type what, boost::system::error_code& ec)
  {
    interlock_core_.inside(ec,
      [what](auto& t, boost::system::error_code& e)
      { interlock::detail::functions::shut_down(t, what, e); });
    return ec;
  }

protected:
  /// Destroy the socket. Closes what it has open: detached now, or when the last call inside returns.
  ~basic_socket() = default;
};

} // namespace asio
} // namespace boost

#endif // INTERLOCK_BASIC_SOCKET_HPP
