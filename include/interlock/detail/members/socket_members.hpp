// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The members that sockets and acceptors share: an acceptor is a socket that listens.

#ifndef INTERLOCK_DETAIL_MEMBERS_SOCKET_MEMBERS_HPP
#define INTERLOCK_DETAIL_MEMBERS_SOCKET_MEMBERS_HPP

#include <type_traits>
#include <utility>

#include <boost/asio/socket_base.hpp>

#include <interlock/borrowed.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/core/conversion.hpp>
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

/// The members of sockets and acceptors of @c Protocol, over Asio's type @c Inner.
template <class Protocol, class Inner>
class socket_members
  : public waiting_members<common_members<io_core<Inner>>, boost::asio::socket_base>
{
private:
  using base = waiting_members<common_members<io_core<Inner>>, boost::asio::socket_base>;

protected:
  /// @cond
  using base::core_;
  using typename base::error_code;
  template <class T>
  using if_context = typename base::template if_context<T>;
  template <class Protocol1>
  using if_own = std::enable_if_t<std::is_same<Protocol1, Protocol>::value, int>;

  socket_members(socket_members&&) noexcept = default;
  socket_members& operator=(socket_members&&) noexcept = default;
  ~socket_members() = default;

  /// Moves from an object of another protocol or executor type.
  template <class Other>
  void take(Other& other)
  {
    functions::convert(access::core(other), core_,
      [](auto& to, auto& from, error_code&) { to.set_protocol(Protocol(from.protocol())); });
  }
  /// @endcond

public:
  using typename base::executor_type;
  using typename base::native_handle_type;

  /// The protocol type.
  using protocol_type = closable<Protocol>;

  /// The endpoint type.
  using endpoint_type = typename Protocol::endpoint;

  // The derived classes declare the constructors from a protocol, beside those from an endpoint. Inherited
  // from here, clang would choose the one from an endpoint where the two are ambiguous.
  using base::base;

  /// Construct a socket on an existing native socket.
  socket_members(
    const executor_type& ex, const protocol_type& protocol, const native_handle_type& native_socket)
    : base(ex)
  {
    assign(protocol, native_socket);
  }

  /// Construct a socket on an existing native socket.
  template <class ExecutionContext, if_context<ExecutionContext> = 0>
  socket_members(ExecutionContext& context, const protocol_type& protocol,
    const native_handle_type& native_socket)
    : base(context.get_executor())
  {
    assign(protocol, native_socket);
  }

  /// Construct a socket on a native socket that another library owns.
  socket_members(const executor_type& ex, const protocol_type& protocol,
    const native_handle_type& native_socket, borrowed_t borrowed)
    : base(ex)
  {
    assign(protocol, native_socket, borrowed);
  }

  /// Construct a socket on a native socket that another library owns.
  template <class ExecutionContext, if_context<ExecutionContext> = 0>
  socket_members(ExecutionContext& context, const protocol_type& protocol,
    const native_handle_type& native_socket, borrowed_t borrowed)
    : base(context.get_executor())
  {
    assign(protocol, native_socket, borrowed);
  }

  /// Open the socket using the specified protocol.
  void open(const protocol_type& protocol = protocol_type())
  {
    functions::or_throw("open", [&](error_code& ec) { open(protocol, ec); });
  }

  /// Open the socket using the specified protocol.
  error_code open(const protocol_type& protocol, error_code& ec)
  {
    return functions::open_socket(core_, static_cast<const Protocol&>(protocol), ec);
  }

  /// Assign an existing native socket to the socket. On failure the caller keeps it.
  void assign(const protocol_type& protocol, const native_handle_type& native_socket)
  {
    functions::or_throw("assign", [&](error_code& ec) { assign(protocol, native_socket, ec); });
  }

  /// Assign an existing native socket to the socket. On failure the caller keeps it.
  error_code assign(
    const protocol_type& protocol, const native_handle_type& native_socket, error_code& ec)
  {
    return functions::assign_socket(
      core_, static_cast<const Protocol&>(protocol), {native_socket}, ec);
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
      core_, static_cast<const Protocol&>(protocol), {native_socket, true}, ec);
  }

  /// Bind the socket to the given local endpoint.
  void bind(const endpoint_type& endpoint)
  {
    functions::or_throw("bind", [&](error_code& ec) { bind(endpoint, ec); });
  }

  /// Bind the socket to the given local endpoint.
  error_code bind(const endpoint_type& endpoint, error_code& ec)
  {
    return functions::bind_socket(core_, endpoint, ec);
  }

  /// Set an option on the socket.
  template <class SettableSocketOption>
  void set_option(const SettableSocketOption& option)
  {
    functions::or_throw("set_option", [&](error_code& ec) { set_option(option, ec); });
  }

  /// Set an option on the socket.
  template <class SettableSocketOption>
  error_code set_option(const SettableSocketOption& option, error_code& ec)
  {
    return functions::set_socket_option(core_, option, ec);
  }

  /// Get an option from the socket.
  template <class GettableSocketOption>
  void get_option(GettableSocketOption& option) const
  {
    functions::or_throw("get_option", [&](error_code& ec) { get_option(option, ec); });
  }

  /// Get an option from the socket.
  template <class GettableSocketOption>
  error_code get_option(GettableSocketOption& option, error_code& ec) const
  {
    return functions::get_socket_option(core_, option, ec);
  }

  /// Get the local endpoint of the socket.
  endpoint_type local_endpoint() const
  {
    return functions::or_throw(
      "local_endpoint", [&](error_code& ec) { return local_endpoint(ec); });
  }

  /// Get the local endpoint of the socket.
  endpoint_type local_endpoint(error_code& ec) const
  {
    return functions::endpoint_from<endpoint_type>(core_, calls::local_name, ec);
  }
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_MEMBERS_SOCKET_MEMBERS_HPP
