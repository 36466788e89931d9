// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What stream and other sockets have in common: Asio's basic_socket, specialised for a closable
// protocol.
//
// The specialisation contains Asio's object, in a tenure; it does not derive from it, so nothing
// gets past the close. All it does itself is to name: every member enters the core, which does the
// work.

#ifndef INTERLOCK_BASIC_SOCKET_HPP
#define INTERLOCK_BASIC_SOCKET_HPP

#include <cstddef>
#include <type_traits>
#include <utility>

#include <boost/asio/basic_socket.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/socket_base.hpp>

#include <interlock/borrowed.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/core/initiation.hpp>
#include <interlock/detail/core/io_core.hpp>
#include <interlock/detail/members/access.hpp>
#include <interlock/detail/members/closing_members.hpp>
#include <interlock/detail/members/socket_calls.hpp>

namespace interlock
{
inline namespace abi_0
{

template <class Protocol>
struct closable;

} // namespace abi_0
} // namespace interlock

namespace boost
{
namespace asio
{

/// A socket that may be closed from any thread, at any moment, while other threads use it.
/**
 * The members are those of Asio's basic_socket. `close` and the destructor never block: the
 * descriptor is detached from the reactor, and close(2) follows on a thread of its own.
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Safe, but for construction, move and destruction.
 */
template <class Protocol, class Executor>
class basic_socket<interlock::closable<Protocol>, Executor>
  : public socket_base,
    public interlock::detail::closing_members<interlock::detail::io_core<
      typename Protocol::socket::template rebind_executor<Executor>::other>>
{
protected:
  /// @cond
  using asio_type = typename Protocol::socket::template rebind_executor<Executor>::other;
  using core_type = interlock::detail::io_core<asio_type>;
  using closing = interlock::detail::closing_members<core_type>;
  using closing::core_;
  using error_code = boost::system::error_code;
  using initiate_async_wait = interlock::detail::initiate_wait<core_type>;
  using initiate_async_connect = interlock::detail::initiate_connect<core_type>;
  using default_token = interlock::detail::default_token<Executor>;
  template <class T>
  using if_context = std::enable_if_t<std::is_convertible<T&, execution_context&>::value, int>;
  template <class Protocol1>
  using if_own = std::enable_if_t<std::is_same<Protocol1, Protocol>::value, int>;
  template <class Protocol1, class Executor1>
  using if_convertible = std::enable_if_t<std::is_convertible<Protocol1, Protocol>::value
      && std::is_convertible<Executor1, Executor>::value
      && std::is_constructible<asio_type,
        typename Protocol1::socket::template rebind_executor<Executor1>::other>::value,
    int>;
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

  /// The native representation of a socket.
  using native_handle_type = typename asio_type::native_handle_type;

  /// The protocol type.
  using protocol_type = interlock::closable<Protocol>;

  /// The endpoint type.
  using endpoint_type = typename Protocol::endpoint;

  /// A basic_socket is always the lowest layer.
  using lowest_layer_type = basic_socket;

  /// Construct a socket without opening it.
  explicit basic_socket(const executor_type& ex)
    : closing(ex)
  {
  }

  /// Construct a socket without opening it.
  template <class ExecutionContext, if_context<ExecutionContext> = 0>
  explicit basic_socket(ExecutionContext& context)
    : closing(context.get_executor())
  {
  }

  /// Construct and open a socket.
  basic_socket(const executor_type& ex, const protocol_type& protocol)
    : closing(ex)
  {
    open(protocol);
  }

  /// Construct and open a socket.
  template <class ExecutionContext, if_context<ExecutionContext> = 0>
  basic_socket(ExecutionContext& context, const protocol_type& protocol)
    : closing(context.get_executor())
  {
    open(protocol);
  }

  /// Construct and open a socket of Asio's own protocol. (It would do for a generic endpoint as well.)
  template <class Protocol1, if_own<Protocol1> = 0>
  basic_socket(const executor_type& ex, const Protocol1& protocol)
    : closing(ex)
  {
    open(protocol);
  }

  /// Construct and open a socket of Asio's own protocol. (It would do for a generic endpoint as well.)
  template <class ExecutionContext, class Protocol1, if_context<ExecutionContext> = 0,
    if_own<Protocol1> = 0>
  basic_socket(ExecutionContext& context, const Protocol1& protocol)
    : closing(context.get_executor())
  {
    open(protocol);
  }

  /// Construct a socket, opening it and binding it to the given local endpoint.
  basic_socket(const executor_type& ex, const endpoint_type& endpoint)
    : closing(ex)
  {
    open(endpoint.protocol());
    bind(endpoint);
  }

  /// Construct a socket, opening it and binding it to the given local endpoint.
  template <class ExecutionContext, if_context<ExecutionContext> = 0>
  basic_socket(ExecutionContext& context, const endpoint_type& endpoint)
    : closing(context.get_executor())
  {
    open(endpoint.protocol());
    bind(endpoint);
  }

  /// Construct a socket on an existing native socket.
  basic_socket(
    const executor_type& ex, const protocol_type& protocol, const native_handle_type& native_socket)
    : closing(ex)
  {
    assign(protocol, native_socket);
  }

  /// Construct a socket on an existing native socket.
  template <class ExecutionContext, if_context<ExecutionContext> = 0>
  basic_socket(ExecutionContext& context, const protocol_type& protocol,
    const native_handle_type& native_socket)
    : closing(context.get_executor())
  {
    assign(protocol, native_socket);
  }

  /// Construct on a native socket that somebody else owns.
  basic_socket(const executor_type& ex, const protocol_type& protocol,
    const native_handle_type& native_socket, interlock::borrowed_t borrowed)
    : closing(ex)
  {
    assign(protocol, native_socket, borrowed);
  }

  /// Construct on a native socket that somebody else owns.
  template <class ExecutionContext, if_context<ExecutionContext> = 0>
  basic_socket(ExecutionContext& context, const protocol_type& protocol,
    const native_handle_type& native_socket, interlock::borrowed_t borrowed)
    : closing(context.get_executor())
  {
    assign(protocol, native_socket, borrowed);
  }

  /// Move-construct a socket. The moved-from object is as one constructed with its executor.
  basic_socket(basic_socket&& other) noexcept = default;

  /// Move-assign a socket. What this object has open is closed as by its destructor.
  basic_socket& operator=(basic_socket&& other) noexcept = default;

  /// Move-construct a socket from one of another protocol or executor type.
  template <class Protocol1, class Executor1, if_convertible<Protocol1, Executor1> = 0>
  basic_socket(basic_socket<interlock::closable<Protocol1>, Executor1>&& other)
    : closing(other.get_executor())
  {
    take(other);
  }

  /// Move-assign a socket from one of another protocol or executor type.
  template <class Protocol1, class Executor1, if_convertible<Protocol1, Executor1> = 0>
  basic_socket& operator=(basic_socket<interlock::closable<Protocol1>, Executor1>&& other)
  {
    return *this = basic_socket(std::move(other));
  }

  /// Take over what Asio's own socket has open.
  /** Operations outstanding on it go on, but are not known to this object: a close aborts them
   * without waiting for them. */
  explicit basic_socket(asio_type&& other)
    : closing(other.get_executor())
  {
    interlock::detail::or_throw("move", [&](error_code& ec) { take_asio(std::move(other), ec); });
  }

  /// Give what this socket has open to Asio's own socket.
  /**
   * A named function, since Asio's own converting constructor would take this for an object of its
   * own.
   *
   * @throws boost::system::system_error interlock::error::in_use while a call on it is under way,
   * bad_descriptor if closed.
   */
  asio_type to_asio()
  {
    return core_.give_away();
  }

  /// Get the executor associated with the object.
  const executor_type& get_executor() noexcept
  {
    return core_.get_executor();
  }

  /// Get a reference to the lowest layer.
  lowest_layer_type& lowest_layer()
  {
    return *this;
  }

  /// Get a const reference to the lowest layer.
  const lowest_layer_type& lowest_layer() const
  {
    return *this;
  }

  /// Open the socket using the specified protocol.
  void open(const protocol_type& protocol = protocol_type())
  {
    interlock::detail::or_throw("open", [&](error_code& ec) { open(protocol, ec); });
  }

  /// Open the socket using the specified protocol.
  error_code open(const protocol_type& protocol, error_code& ec)
  {
    return interlock::detail::open_socket(core_, static_cast<const Protocol&>(protocol), ec);
  }

  /// Assign an existing native socket to the socket. On failure it remains the caller's.
  void assign(const protocol_type& protocol, const native_handle_type& native_socket)
  {
    interlock::detail::or_throw(
      "assign", [&](error_code& ec) { assign(protocol, native_socket, ec); });
  }

  /// Assign an existing native socket to the socket. On failure it remains the caller's.
  error_code assign(
    const protocol_type& protocol, const native_handle_type& native_socket, error_code& ec)
  {
    return interlock::detail::assign_socket(
      core_, static_cast<const Protocol&>(protocol), native_socket, false, ec);
  }

  /// Assign a native socket that somebody else owns: see interlock::borrowed.
  void assign(const protocol_type& protocol, const native_handle_type& native_socket,
    interlock::borrowed_t borrowed)
  {
    interlock::detail::or_throw(
      "assign", [&](error_code& ec) { assign(protocol, native_socket, borrowed, ec); });
  }

  /// Assign a native socket that somebody else owns: see interlock::borrowed.
  error_code assign(const protocol_type& protocol, const native_handle_type& native_socket,
    interlock::borrowed_t, error_code& ec)
  {
    return interlock::detail::assign_socket(
      core_, static_cast<const Protocol&>(protocol), native_socket, true, ec);
  }

  /// Determine whether the socket is open.
  bool is_open() const
  {
    return core_.is_open();
  }

  /// Close the socket.
  /**
   * The socket is closed for every thread when this returns: operations outstanding complete with
   * boost::asio::error::operation_aborted, calls that are blocked return with it, new ones get
   * bad_descriptor. It is detached from the reactor by then, or, where a call is still inside, as
   * soon as that has returned. close(2) follows on a thread of its own. On a socket that is not
   * open this does nothing. Never fails, never blocks.
   *
   * Of a datagram or raw socket the address is free when this returns: it waits for close(2), which
   * follows at once. At most 100 ms, should another thread stay inside, or a blocked close(2) be
   * before it; a lease is not waited for.
   */
  void close()
  {
    core_.close();
  }

  /// Close the socket. @c ec is always clear.
  error_code close(error_code& ec)
  {
    core_.close();
    return ec = error_code();
  }

  /// Release ownership of the underlying native socket, cancelling the operations outstanding on
  /// it.
  /** @throws boost::system::system_error interlock::error::in_use while a call on it is under way.
   */
  native_handle_type release()
  {
    return interlock::detail::or_throw("release", [&](error_code& ec) { return release(ec); });
  }

  /// Release ownership of the underlying native socket, cancelling the operations outstanding on
  /// it.
  native_handle_type release(error_code& ec)
  {
    return core_.release(ec);
  }

  /// Get the native socket representation: -1 when closed. It may be closed, and be another's, at
  /// any time after.
  native_handle_type native_handle()
  {
    return core_.fd();
  }

  /// Cancel all asynchronous operations associated with the socket.
  void cancel()
  {
    interlock::detail::or_throw("cancel", [&](error_code& ec) { cancel(ec); });
  }

  /// Cancel all asynchronous operations associated with the socket.
  error_code cancel(error_code& ec)
  {
    core_.inside(ec, [](auto& t, error_code& e) { t.inner().cancel(e); });
    return ec;
  }

  /// Determine whether the socket is at the out-of-band data mark.
  bool at_mark() const
  {
    return interlock::detail::or_throw("at_mark", [&](error_code& ec) { return at_mark(ec); });
  }

  /// Determine whether the socket is at the out-of-band data mark.
  bool at_mark(error_code& ec) const
  {
    return core_.inside(
      ec, [](auto& t, error_code& e) { return interlock::detail::calls::at_mark(t.fd(), e); });
  }

  /// Determine the number of bytes available for reading.
  std::size_t available() const
  {
    return interlock::detail::or_throw("available", [&](error_code& ec) { return available(ec); });
  }

  /// Determine the number of bytes available for reading.
  std::size_t available(error_code& ec) const
  {
    return core_.inside(
      ec, [](auto& t, error_code& e) { return interlock::detail::calls::available(t.fd(), e); });
  }

  /// Bind the socket to the given local endpoint.
  void bind(const endpoint_type& endpoint)
  {
    interlock::detail::or_throw("bind", [&](error_code& ec) { bind(endpoint, ec); });
  }

  /// Bind the socket to the given local endpoint.
  error_code bind(const endpoint_type& endpoint, error_code& ec)
  {
    return interlock::detail::bind_socket(core_, endpoint, ec);
  }

  /// Connect the socket to the specified endpoint, opening it first if it is closed.
  void connect(const endpoint_type& peer_endpoint)
  {
    interlock::detail::or_throw("connect", [&](error_code& ec) { connect(peer_endpoint, ec); });
  }

  /// Connect the socket to the specified endpoint, opening it first if it is closed.
  error_code connect(const endpoint_type& peer_endpoint, error_code& ec)
  {
    ec = error_code();
    if (!is_open())
      open(peer_endpoint.protocol(), ec);
    return ec ? ec : interlock::detail::connect_socket(core_, peer_endpoint, ec);
  }

  /// Start an asynchronous connect, opening the socket first if it is closed.
  template <class ConnectToken = default_token>
  auto async_connect(const endpoint_type& peer_endpoint, ConnectToken&& token = default_token())
    -> interlock::detail::initiation_result<ConnectToken, void(error_code), initiate_async_connect,
      const endpoint_type&, error_code&>
  {
    error_code open_ec;
    if (!is_open())
      open(peer_endpoint.protocol(), open_ec);
    return async_initiate<ConnectToken, void(error_code)>(
      initiate_async_connect(&core_), token, peer_endpoint, open_ec);
  }

  /// Set an option on the socket.
  template <class SettableSocketOption>
  void set_option(const SettableSocketOption& option)
  {
    interlock::detail::or_throw("set_option", [&](error_code& ec) { set_option(option, ec); });
  }

  /// Set an option on the socket.
  template <class SettableSocketOption>
  error_code set_option(const SettableSocketOption& option, error_code& ec)
  {
    return interlock::detail::set_socket_option(core_, option, ec);
  }

  /// Get an option from the socket.
  template <class GettableSocketOption>
  void get_option(GettableSocketOption& option) const
  {
    interlock::detail::or_throw("get_option", [&](error_code& ec) { get_option(option, ec); });
  }

  /// Get an option from the socket.
  template <class GettableSocketOption>
  error_code get_option(GettableSocketOption& option, error_code& ec) const
  {
    return interlock::detail::get_socket_option(core_, option, ec);
  }

  /// Perform an IO control command on the socket.
  template <class IoControlCommand>
  void io_control(IoControlCommand& command)
  {
    interlock::detail::or_throw("io_control", [&](error_code& ec) { io_control(command, ec); });
  }

  /// Perform an IO control command on the socket.
  template <class IoControlCommand>
  error_code io_control(IoControlCommand& command, error_code& ec)
  {
    return interlock::detail::control(core_, command, ec);
  }

  /// Get the non-blocking mode of the socket.
  bool non_blocking() const
  {
    return interlock::detail::get_flag(core_, &interlock::detail::user_flags::non_blocking);
  }

  /// Set the non-blocking mode of the socket.
  void non_blocking(bool mode)
  {
    interlock::detail::or_throw("non_blocking", [&](error_code& ec) { non_blocking(mode, ec); });
  }

  /// Set the non-blocking mode of the socket.
  error_code non_blocking(bool mode, error_code& ec)
  {
    return interlock::detail::set_non_blocking(core_, mode, ec);
  }

  /// Get the non-blocking mode of the native socket implementation, as set by the other overload.
  bool native_non_blocking() const
  {
    return interlock::detail::get_flag(core_, &interlock::detail::user_flags::native_non_blocking);
  }

  /// Set the non-blocking mode of the native socket implementation. The native socket itself is
  /// always O_NONBLOCK.
  void native_non_blocking(bool mode)
  {
    interlock::detail::or_throw(
      "native_non_blocking", [&](error_code& ec) { native_non_blocking(mode, ec); });
  }

  /// Set the non-blocking mode of the native socket implementation. The native socket itself is
  /// always O_NONBLOCK.
  error_code native_non_blocking(bool mode, error_code& ec)
  {
    return interlock::detail::set_native_non_blocking(core_, mode, ec);
  }

  /// Get the local endpoint of the socket.
  endpoint_type local_endpoint() const
  {
    return interlock::detail::or_throw(
      "local_endpoint", [&](error_code& ec) { return local_endpoint(ec); });
  }

  /// Get the local endpoint of the socket.
  endpoint_type local_endpoint(error_code& ec) const
  {
    return interlock::detail::endpoint_from<endpoint_type>(
      core_, interlock::detail::calls::local_name, ec);
  }

  /// Get the remote endpoint of the socket.
  endpoint_type remote_endpoint() const
  {
    return interlock::detail::or_throw(
      "remote_endpoint", [&](error_code& ec) { return remote_endpoint(ec); });
  }

  /// Get the remote endpoint of the socket.
  endpoint_type remote_endpoint(error_code& ec) const
  {
    return interlock::detail::endpoint_from<endpoint_type>(
      core_, interlock::detail::calls::peer_name, ec);
  }

  /// Disable sends or receives on the socket.
  void shutdown(shutdown_type what)
  {
    interlock::detail::or_throw("shutdown", [&](error_code& ec) { shutdown(what, ec); });
  }

  /// Disable sends or receives on the socket.
  error_code shutdown(shutdown_type what, error_code& ec)
  {
    core_.inside(
      ec, [what](auto& t, error_code& e) { interlock::detail::calls::shutdown(t.fd(), what, e); });
    return ec;
  }

  /// Wait for the socket to become ready to read, ready to write, or to have pending error
  /// conditions.
  void wait(wait_type w)
  {
    interlock::detail::or_throw("wait", [&](error_code& ec) { wait(w, ec); });
  }

  /// Wait for the socket to become ready to read, ready to write, or to have pending error
  /// conditions.
  error_code wait(wait_type w, error_code& ec)
  {
    return interlock::detail::wait_ready(core_, interlock::detail::events_of(w), ec);
  }

  /// Start an asynchronous wait for the socket to become ready to read, ready to write, or to have
  /// pending error conditions.
  template <class WaitToken = default_token>
  auto async_wait(wait_type w, WaitToken&& token = default_token())
    -> interlock::detail::initiation_result<WaitToken, void(error_code), initiate_async_wait,
      wait_type&>
  {
    return async_initiate<WaitToken, void(error_code)>(initiate_async_wait(&core_), token, w);
  }

protected:
  /// What the socket has open is closed: detached now, or when the last call inside has returned.
  ~basic_socket() = default;

  /// @cond
  template <class Other>
  void take(Other& other)
  {
    core_.take_from(interlock::detail::access::core(other),
      [](auto& to, auto& from, error_code& ec) { to.set_protocol(Protocol(from.protocol()), ec); });
  }

  void take_asio(asio_type&& other, error_code& ec)
  {
    error_code unnamed;
    const Protocol protocol(other.local_endpoint(unnamed).protocol());
    core_.adopt(
      std::move(other), ec, [&protocol](auto& t, error_code& e) { t.set_protocol(protocol, e); });
  }

  friend struct interlock::detail::access;

  /// @endcond
};

} // namespace asio
} // namespace boost

#endif // INTERLOCK_BASIC_SOCKET_HPP
