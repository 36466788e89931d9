// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The members that sockets and acceptors share: an acceptor is a socket that listens.

#ifndef INTERLOCK_DETAIL_MEMBERS_SOCKET_MEMBERS_HPP
#define INTERLOCK_DETAIL_MEMBERS_SOCKET_MEMBERS_HPP

#include <cstdlib>
#include <type_traits>
#include <utility>

#include <boost/asio/basic_socket.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/socket_base.hpp>

#include <interlock/borrowed.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/core/conversion.hpp>
#include <interlock/detail/core/initiation.hpp>
#include <interlock/detail/core/io_core.hpp>
#include <interlock/detail/core/throw_if.hpp>
#include <interlock/detail/members/common_members.hpp>
#include <interlock/detail/members/socket_calls.hpp>
#include <interlock/detail/members/waiting_members.hpp>

namespace interlock {
inline namespace abi_0 {

template <class Protocol>
struct closable;

namespace detail {

/// @cond
/// Asio's own socket that the closable one of @c Protocol contains.
template <class Protocol, class Executor>
using asio_socket = typename Protocol::socket::template rebind_executor<Executor>::other;

template <class Protocol, class Executor>
using socket_core = io_core<asio_socket<Protocol, Executor>>;

/// Allows a call with exactly @c U.
template <class T, class U>
using if_same = std::enable_if_t<std::is_same<T, U>::value, int>;

/// Allows a move between sockets where Asio's own allow it.
template <class Protocol1, class Executor1, class Protocol, class Executor>
using if_convertible_socket = std::enable_if_t<std::is_convertible<Protocol1, Protocol>::value
    && std::is_convertible<Executor1, Executor>::value
    && std::is_constructible<asio_socket<Protocol, Executor>,
      asio_socket<Protocol1, Executor1>>::value,
  int>;

template <class Core, class Token, class Endpoint>
using connect_result =
  initiation_result<Token, void(error_code), initiate_connect<Core>, const Endpoint&, error_code&>;

/// Stands where Asio's objects have their implementation, which Asio's converting constructors and assignments move.
struct no_implementation
{
  // An executor, which some versions of Asio make an implementation of, has no such type.
  template <class Implementation, class = typename Implementation::executor_type,
    std::enable_if_t<!std::is_const<Implementation>::value, int> = 0>
  operator Implementation&&() const noexcept
  {
    static_assert(std::is_void<Implementation>::value,
      "Use to_asio() to move what an Interlock object has open into one of Asio's");
    std::abort();
  }
};

namespace functions {

/// Moves from an object of another protocol or executor type.
template <class Protocol, class Other, class Core>
void convert_socket(Other& other, Core& core)
{
  functions::convert(access::core(other), core,
    [](auto& to, auto& from, error_code&) { to.set_protocol(Protocol(from.protocol())); });
}

/// Takes over what Asio's own socket or acceptor has open. Other code may have set its SO_LINGER: hence the taint,
/// which what an acceptor accepts inherits.
template <class Protocol, class Core>
void adopt_socket(Core& core, typename Core::inner_type&& other, error_code& ec)
{
  error_code ignored; // an error means that `other` is not open: adopt has no effect then
  const Protocol protocol(other.local_endpoint(ignored).protocol());
  functions::adopt_from_asio(core, std::move(other), ec,
    [&protocol](auto& t, error_code&)
    {
      t.marks().taint();
      t.set_protocol(protocol);
    });
}

} // namespace functions
/// @endcond

namespace bases {

/// The members of sockets and acceptors of @c Protocol, over Asio's type @c Inner.
template <class Protocol, class Inner>
class socket_members
  : public waiting_members<common_members<io_core<Inner>>, boost::asio::socket_base>
{
private:
  using interlock_base = waiting_members<common_members<io_core<Inner>>, boost::asio::socket_base>;

protected:
  /// @cond
  using interlock_base::interlock_core_;

  socket_members(socket_members&&) noexcept = default;
  socket_members& operator=(socket_members&&) noexcept = default;
  ~socket_members() = default;

  // Asio's own name, therefore no name of a program is hidden. Never defined: what refers to it does not compile.
  static no_implementation impl_;

  template <class, class>
  friend class boost::asio::basic_socket;
  template <class, class>
  friend class boost::asio::basic_socket_acceptor;
  /// @endcond

public:
  using typename interlock_base::executor_type;
  using typename interlock_base::native_handle_type;

  /// The protocol type.
  using protocol_type = closable<Protocol>;

  /// The endpoint type.
  using endpoint_type = typename Protocol::endpoint;

  // The derived classes declare the constructors from a protocol, beside those from an endpoint. Inherited
  // from here, clang would choose the one from an endpoint where the two are ambiguous.
  using interlock_base::interlock_base;

  /// Construct a socket on an existing native socket.
  socket_members(
    const executor_type& ex, const protocol_type& protocol, const native_handle_type& native_socket)
    : interlock_base(ex)
  {
    assign(protocol, native_socket);
  }

  /// Construct a socket on an existing native socket.
  template <class ExecutionContext, if_context<ExecutionContext> = 0>
  socket_members(ExecutionContext& context, const protocol_type& protocol,
    const native_handle_type& native_socket)
    : interlock_base(context.get_executor())
  {
    assign(protocol, native_socket);
  }

  /// Construct a socket on a native socket that another library owns.
  socket_members(const executor_type& ex, const protocol_type& protocol,
    const native_handle_type& native_socket, borrowed_t borrowed)
    : interlock_base(ex)
  {
    assign(protocol, native_socket, borrowed);
  }

  /// Construct a socket on a native socket that another library owns.
  template <class ExecutionContext, if_context<ExecutionContext> = 0>
  socket_members(ExecutionContext& context, const protocol_type& protocol,
    const native_handle_type& native_socket, borrowed_t borrowed)
    : interlock_base(context.get_executor())
  {
    assign(protocol, native_socket, borrowed);
  }

  /// Take over what Asio's own object of the same kind has open.
  /** Its outstanding operations continue, but are not counted: a close aborts them without waiting for
   * their handlers. */
  explicit socket_members(Inner&& other)
    : interlock_base(other.get_executor())
  {
    functions::or_throw("move",
      [&](error_code& ec)
      { functions::adopt_socket<Protocol>(interlock_core_, std::move(other), ec); });
  }

  /// Give what this object has open to Asio's own object of the same kind, with the outstanding operations.
  /**
   * @throws boost::system::system_error interlock::error::in_use while a call on it is under way or a
   * lease exists, boost::asio::error::bad_descriptor if it is closed.
   */
  Inner to_asio()
  {
    return functions::give_to_asio(interlock_core_);
  }

  /// Open the socket using the specified protocol.
  /**
   * @asio
   * @opening_errors{socket(2)}
   */
  void open(const protocol_type& protocol = protocol_type())
  {
    functions::or_throw("open", [&](error_code& ec) { open(protocol, ec); });
  }

  /// Open the socket using the specified protocol.
  error_code open(const protocol_type& protocol, error_code& ec)
  {
    return functions::open_socket(interlock_core_, static_cast<const Protocol&>(protocol), ec);
  }

  /// Assign an existing native socket to the socket. On failure the caller keeps it.
  /**
   * @asio
   * An object with interlock::borrowed never closes the descriptor.
   *
   * @opening_errors{epoll_ctl(2)}
   */
  void assign(const protocol_type& protocol, const native_handle_type& native_socket)
  {
    functions::or_throw("assign", [&](error_code& ec) { assign(protocol, native_socket, ec); });
  }

  /// Assign an existing native socket to the socket. On failure the caller keeps it.
  error_code assign(
    const protocol_type& protocol, const native_handle_type& native_socket, error_code& ec)
  {
    return functions::assign_socket(
      interlock_core_, static_cast<const Protocol&>(protocol), {native_socket}, ec);
  }

  /// Assign a native socket that another library owns: see interlock::borrowed.
  void assign(
    const protocol_type& protocol, const native_handle_type& native_socket, borrowed_t borrowed)
  {
    functions::or_throw(
      "assign", [&](error_code& ec) { assign(protocol, native_socket, borrowed, ec); });
  }

  /// Assign a native socket that another library owns: see interlock::borrowed.
  error_code assign(const protocol_type& protocol, const native_handle_type& native_socket,
    borrowed_t, error_code& ec)
  {
    return functions::assign_socket(
      interlock_core_, static_cast<const Protocol&>(protocol), {native_socket, true}, ec);
  }

  /// Bind the socket to the given local endpoint.
  /**
   * @asio
   * @errors{bind(2)}
   */
  void bind(const endpoint_type& endpoint)
  {
    functions::or_throw("bind", [&](error_code& ec) { bind(endpoint, ec); });
  }

  /// Bind the socket to the given local endpoint.
  error_code bind(const endpoint_type& endpoint, error_code& ec)
  {
    return functions::bind_socket(interlock_core_, endpoint, ec);
  }

  /// Set an option on the socket.
  /**
   * @asio
   * SO_LINGER with a time stays in the object, and does not reach the kernel, because close(2) would block.
   *
   * @errors{setsockopt(2)}
   */
  template <class SettableSocketOption>
  void set_option(const SettableSocketOption& option)
  {
    functions::or_throw("set_option", [&](error_code& ec) { set_option(option, ec); });
  }

  /// Set an option on the socket.
  template <class SettableSocketOption>
  error_code set_option(const SettableSocketOption& option, error_code& ec)
  {
    return functions::set_socket_option(interlock_core_, option, ec);
  }

  /// Get an option from the socket.
  /**
   * @asio
   * @errors{getsockopt(2)}
   */
  template <class GettableSocketOption>
  void get_option(GettableSocketOption& option) const
  {
    functions::or_throw("get_option", [&](error_code& ec) { get_option(option, ec); });
  }

  /// Get an option from the socket.
  template <class GettableSocketOption>
  error_code get_option(GettableSocketOption& option, error_code& ec) const
  {
    return functions::get_socket_option(interlock_core_, option, ec);
  }

  /// Get the local endpoint of the socket.
  /**
   * @asio
   * @errors{getsockname(2)}
   */
  endpoint_type local_endpoint() const
  {
    return functions::or_throw(
      "local_endpoint", [&](error_code& ec) { return local_endpoint(ec); });
  }

  /// Get the local endpoint of the socket.
  endpoint_type local_endpoint(error_code& ec) const
  {
    return functions::endpoint_from<endpoint_type>(interlock_core_, calls::local_name, ec);
  }
};

} // namespace bases
} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_MEMBERS_SOCKET_MEMBERS_HPP
