// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Asio's basic_socket_acceptor, specialised for a closable protocol.

#ifndef INTERLOCK_BASIC_SOCKET_ACCEPTOR_HPP
#define INTERLOCK_BASIC_SOCKET_ACCEPTOR_HPP

#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/socket_base.hpp>

#include <interlock/basic_socket.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/core/initiation.hpp>
#include <interlock/detail/core/throw_if.hpp>
#include <interlock/detail/members/accept.hpp>
#include <interlock/detail/members/socket_calls.hpp>
#include <interlock/detail/members/socket_members.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

template <class Protocol, class Executor>
struct frees_address<boost::asio::basic_socket_acceptor<Protocol, Executor>> : std::true_type
{
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

namespace boost {
namespace asio {

/// An acceptor that any thread may close at any moment while other threads use it.
/**
 * The members are those of Asio's basic_socket_acceptor. Connections are accepted into sockets of
 * the closable protocol, or into Asio's own. Closing the acceptor resets connections not yet accepted. The
 * local address is free when @c close or the destructor returns, unless a lease exists, an `async_close` has
 * begun, or connections are in the queue of an AF_UNIX acceptor. While another thread is in a call on the object,
 * @c close waits for it, for 100 ms at most.
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Safe, except for construction, move and destruction.
 *
 * @example_of{example/objects.cpp,objects_acceptor}
 */
template <class Protocol, class Executor>
class basic_socket_acceptor<interlock::closable<Protocol>, Executor>
  : public interlock::detail::bases::socket_members<Protocol,
      boost::asio::basic_socket_acceptor<Protocol, Executor>>
{
private:
  using interlock_base = interlock::detail::bases::socket_members<Protocol,
    boost::asio::basic_socket_acceptor<Protocol, Executor>>;
  using interlock_base::interlock_core_;

public:
  /// The type of the executor associated with the object.
  using executor_type = Executor;

  /// Rebinds the acceptor type to another executor.
  template <class Executor1>
  struct rebind_executor
  {
    /// The acceptor type when rebound to the specified executor.
    using other = basic_socket_acceptor<interlock::closable<Protocol>, Executor1>;
  };

  using typename interlock_base::endpoint_type;
  using typename interlock_base::protocol_type;

  /// Construct an acceptor, closed, open, or on an existing native acceptor.
  using interlock_base::interlock_base;

  /// Construct and open an acceptor.
  basic_socket_acceptor(const executor_type& ex, const protocol_type& protocol)
    : interlock_base(ex)
  {
    this->open(protocol);
  }

  /// Construct and open an acceptor.
  template <class ExecutionContext, interlock::detail::if_context<ExecutionContext> = 0>
  basic_socket_acceptor(ExecutionContext& context, const protocol_type& protocol)
    : interlock_base(context.get_executor())
  {
    this->open(protocol);
  }

  /// Construct and open an acceptor, given Asio's own protocol.
  // Without this overload the call is ambiguous for generic protocols, whose endpoints convert from any type.
  template <class Protocol1, interlock::detail::if_same<Protocol1, Protocol> = 0>
  basic_socket_acceptor(const executor_type& ex, const Protocol1& protocol)
    : interlock_base(ex)
  {
    this->open(protocol);
  }

  /// Construct and open an acceptor, given Asio's own protocol.
  // Without this overload the call is ambiguous for generic protocols, whose endpoints convert from any type.
  template <class ExecutionContext, class Protocol1,
    interlock::detail::if_context<ExecutionContext> = 0,
    interlock::detail::if_same<Protocol1, Protocol> = 0>
  basic_socket_acceptor(ExecutionContext& context, const Protocol1& protocol)
    : interlock_base(context.get_executor())
  {
    this->open(protocol);
  }

  /// Construct an acceptor opened, bound to the given endpoint, and listening.
  basic_socket_acceptor(
    const executor_type& ex, const endpoint_type& endpoint, bool reuse_addr = true)
    : interlock_base(ex)
  {
    interlock::detail::functions::open_listening(*this, endpoint, reuse_addr);
  }

  /// Construct an acceptor opened, bound to the given endpoint, and listening.
  template <class ExecutionContext, interlock::detail::if_context<ExecutionContext> = 0>
  basic_socket_acceptor(
    ExecutionContext& context, const endpoint_type& endpoint, bool reuse_addr = true)
    : interlock_base(context.get_executor())
  {
    interlock::detail::functions::open_listening(*this, endpoint, reuse_addr);
  }

  /// Move-construct an acceptor. The moved-from object is as if newly constructed with its executor.
  basic_socket_acceptor(basic_socket_acceptor&& other) noexcept = default;

  /// Move-assign an acceptor. Closes what this object has open, as its destructor does.
  basic_socket_acceptor& operator=(basic_socket_acceptor&& other) noexcept = default;

  /// Move-construct an acceptor from one of another protocol or executor type; may throw error::in_use.
  template <class Protocol1, class Executor1,
    interlock::detail::if_convertible_acceptor<Protocol1, Executor1, Protocol, Executor> = 0>
  basic_socket_acceptor(basic_socket_acceptor<interlock::closable<Protocol1>, Executor1>&& other)
    : interlock_base(other.get_executor())
  {
    interlock::detail::functions::convert_socket<Protocol>(other, interlock_core_);
  }

  /// Move-assign an acceptor from one of another protocol or executor type.
  template <class Protocol1, class Executor1,
    interlock::detail::if_convertible_acceptor<Protocol1, Executor1, Protocol, Executor> = 0>
  basic_socket_acceptor& operator=(
    basic_socket_acceptor<interlock::closable<Protocol1>, Executor1>&& other)
  {
    return *this = basic_socket_acceptor(std::move(other));
  }

  /// Destroy the acceptor. Closes what it has open; never blocks.
  ~basic_socket_acceptor() = default;

  /// Place the acceptor into the state where it will listen for new connections.
  /**
   * @asio
   * @errors{listen(2)}
   */
  void listen(int backlog = socket_base::max_listen_connections)
  {
    interlock::detail::functions::or_throw(
      "listen", [&](boost::system::error_code& ec) { listen(backlog, ec); });
  }

  /// Place the acceptor into the state where it will listen for new connections.
  boost::system::error_code listen(int backlog, boost::system::error_code& ec)
  {
    interlock_core_.inside(ec,
      [backlog](auto& t, boost::system::error_code& e)
      { interlock::detail::calls::listen(t.fd(), backlog, e); });
    return ec;
  }

  // --- Into a socket of the caller's.

  /// Accept a new connection into @c peer_socket, which must be closed.
  /**
   * @asio
   * @waiting_errors{accept(2)}
   * @li boost::asio::error::already_open, interlock::error::retired: the socket to accept into is open, or has been retired.
   */
  template <class Protocol1, class Executor1,
    interlock::detail::if_convertible<interlock::closable<Protocol>, Protocol1> = 0>
  void accept(basic_socket<Protocol1, Executor1>& peer_socket)
  {
    interlock::detail::functions::or_throw(
      "accept", [&](boost::system::error_code& ec) { accept(peer_socket, ec); });
  }

  /// Accept a new connection into @c peer_socket, which must be closed.
  template <class Protocol1, class Executor1,
    interlock::detail::if_convertible<interlock::closable<Protocol>, Protocol1> = 0>
  boost::system::error_code accept(
    basic_socket<Protocol1, Executor1>& peer_socket, boost::system::error_code& ec)
  {
    return interlock::detail::functions::accept_peer(
      interlock_core_, peer_socket, static_cast<endpoint_type*>(nullptr), ec);
  }

  /// Accept a new connection into @c peer_socket, and obtain its endpoint.
  template <class Protocol1, class Executor1,
    interlock::detail::if_convertible<interlock::closable<Protocol>, Protocol1> = 0>
  void accept(basic_socket<Protocol1, Executor1>& peer_socket, endpoint_type& peer_endpoint)
  {
    interlock::detail::functions::or_throw(
      "accept", [&](boost::system::error_code& ec) { accept(peer_socket, peer_endpoint, ec); });
  }

  /// Accept a new connection into @c peer_socket, and obtain its endpoint.
  template <class Protocol1, class Executor1,
    interlock::detail::if_convertible<interlock::closable<Protocol>, Protocol1> = 0>
  boost::system::error_code accept(basic_socket<Protocol1, Executor1>& peer_socket,
    endpoint_type& peer_endpoint, boost::system::error_code& ec)
  {
    return interlock::detail::functions::accept_peer(
      interlock_core_, peer_socket, &peer_endpoint, ec);
  }

  /// Start an asynchronous accept into @c peer_socket, which must be closed, and live until the handler
  /// is called.
  /**
   * @asio
   * @async_errors{accept(2)}
   * @li boost::asio::error::already_open, interlock::error::retired: the socket to accept into is open, or has been retired.
   */
  template <class Protocol1, class Executor1,
    INTERLOCK_TOKEN_FOR(void(boost::system::error_code))
      AcceptToken = interlock::detail::default_token<Executor>,
    interlock::detail::if_convertible<interlock::closable<Protocol>, Protocol1> = 0>
  auto async_accept(basic_socket<Protocol1, Executor1>& peer_socket,
    AcceptToken&& token = interlock::detail::default_token<Executor>())
    -> interlock::detail::accept_result<interlock::detail::acceptor_core<Protocol, Executor>,
      AcceptToken, basic_socket<Protocol1, Executor1>*, endpoint_type*>
  {
    return boost::asio::async_initiate<AcceptToken, void(boost::system::error_code)>(
      interlock::detail::initiate_accept<interlock::detail::acceptor_core<Protocol, Executor>>(
        &interlock_core_),
      token, &peer_socket, static_cast<endpoint_type*>(nullptr));
  }

  /// Start an asynchronous accept into @c peer_socket, and obtain its endpoint. Both must live until the
  /// handler is called.
  template <class Protocol1, class Executor1,
    INTERLOCK_TOKEN_FOR(void(boost::system::error_code))
      AcceptToken = interlock::detail::default_token<Executor>,
    interlock::detail::if_convertible<interlock::closable<Protocol>, Protocol1> = 0>
  auto async_accept(basic_socket<Protocol1, Executor1>& peer_socket, endpoint_type& peer_endpoint,
    AcceptToken&& token = interlock::detail::default_token<Executor>())
    -> interlock::detail::accept_result<interlock::detail::acceptor_core<Protocol, Executor>,
      AcceptToken, basic_socket<Protocol1, Executor1>*, endpoint_type*>
  {
    return boost::asio::async_initiate<AcceptToken, void(boost::system::error_code)>(
      interlock::detail::initiate_accept<interlock::detail::acceptor_core<Protocol, Executor>>(
        &interlock_core_),
      token, &peer_socket, &peer_endpoint);
  }

  // --- Into a new socket.

  /// Accept a new connection.
  interlock::detail::accepted_socket<Protocol, executor_type> accept()
  {
    return accept(this->get_executor());
  }

  /// Accept a new connection.
  interlock::detail::accepted_socket<Protocol, executor_type> accept(boost::system::error_code& ec)
  {
    return accept(this->get_executor(), ec);
  }

  /// Accept a new connection into a socket with the executor @c ex.
  template <class Executor1, interlock::detail::if_executor<Executor1> = 0>
  interlock::detail::accepted_socket<Protocol, Executor1> accept(const Executor1& ex)
  {
    return interlock::detail::functions::or_throw(
      "accept", [&](boost::system::error_code& ec) { return accept(ex, ec); });
  }

  /// Accept a new connection into a socket of @c context.
  template <class ExecutionContext, interlock::detail::if_context<ExecutionContext> = 0>
  interlock::detail::accepted_socket<Protocol, typename ExecutionContext::executor_type> accept(
    ExecutionContext& context)
  {
    return accept(context.get_executor());
  }

  /// Accept a new connection into a socket with the executor @c ex.
  template <class Executor1, interlock::detail::if_executor<Executor1> = 0>
  interlock::detail::accepted_socket<Protocol, Executor1> accept(
    const Executor1& ex, boost::system::error_code& ec)
  {
    interlock::detail::accepted_socket<Protocol, Executor1> accepted(ex);
    accept(accepted, ec);
    return accepted;
  }

  /// Accept a new connection into a socket of @c context.
  template <class ExecutionContext, interlock::detail::if_context<ExecutionContext> = 0>
  interlock::detail::accepted_socket<Protocol, typename ExecutionContext::executor_type> accept(
    ExecutionContext& context, boost::system::error_code& ec)
  {
    return accept(context.get_executor(), ec);
  }

  /// Accept a new connection, and obtain its endpoint.
  interlock::detail::accepted_socket<Protocol, executor_type> accept(endpoint_type& peer_endpoint)
  {
    return accept(this->get_executor(), peer_endpoint);
  }

  /// Accept a new connection, and obtain its endpoint.
  interlock::detail::accepted_socket<Protocol, executor_type> accept(
    endpoint_type& peer_endpoint, boost::system::error_code& ec)
  {
    return accept(this->get_executor(), peer_endpoint, ec);
  }

  /// Accept a new connection into a socket with the executor @c ex, and obtain its endpoint.
  template <class Executor1, interlock::detail::if_executor<Executor1> = 0>
  interlock::detail::accepted_socket<Protocol, Executor1> accept(
    const Executor1& ex, endpoint_type& peer_endpoint)
  {
    return interlock::detail::functions::or_throw(
      "accept", [&](boost::system::error_code& ec) { return accept(ex, peer_endpoint, ec); });
  }

  /// Accept a new connection into a socket of @c context, and obtain its endpoint.
  template <class ExecutionContext, interlock::detail::if_context<ExecutionContext> = 0>
  interlock::detail::accepted_socket<Protocol, typename ExecutionContext::executor_type> accept(
    ExecutionContext& context, endpoint_type& peer_endpoint)
  {
    return accept(context.get_executor(), peer_endpoint);
  }

  /// Accept a new connection into a socket with the executor @c ex, and obtain its endpoint.
  template <class Executor1, interlock::detail::if_executor<Executor1> = 0>
  interlock::detail::accepted_socket<Protocol, Executor1> accept(
    const Executor1& ex, endpoint_type& peer_endpoint, boost::system::error_code& ec)
  {
    interlock::detail::accepted_socket<Protocol, Executor1> accepted(ex);
    accept(accepted, peer_endpoint, ec);
    return accepted;
  }

  /// Accept a new connection into a socket of @c context, and obtain its endpoint.
  template <class ExecutionContext, interlock::detail::if_context<ExecutionContext> = 0>
  interlock::detail::accepted_socket<Protocol, typename ExecutionContext::executor_type> accept(
    ExecutionContext& context, endpoint_type& peer_endpoint, boost::system::error_code& ec)
  {
    return accept(context.get_executor(), peer_endpoint, ec);
  }

  /// Start an asynchronous accept of a new connection.
  template <INTERLOCK_TOKEN_FOR(void(boost::system::error_code,
              interlock::detail::accepted_socket<Protocol, executor_type>))
              MoveAcceptToken = interlock::detail::default_token<Executor>,
    interlock::detail::if_accept_token<MoveAcceptToken> = 0>
  auto async_accept(MoveAcceptToken&& token = interlock::detail::default_token<Executor>())
    -> interlock::detail::move_accept_result<Protocol, Executor, MoveAcceptToken, executor_type>
  {
    return interlock::detail::functions::start_accept<executor_type>(
      interlock_core_, this->get_executor(), nullptr, std::forward<MoveAcceptToken>(token));
  }

  /// Start an asynchronous accept of a new connection into a socket with the executor @c ex.
  template <class Executor1,
    INTERLOCK_TOKEN_FOR(
      void(boost::system::error_code, interlock::detail::accepted_socket<Protocol, Executor1>))
      MoveAcceptToken = interlock::detail::default_token<Executor>,
    interlock::detail::if_executor<Executor1> = 0>
  auto async_accept(
    const Executor1& ex, MoveAcceptToken&& token = interlock::detail::default_token<Executor>())
    -> interlock::detail::move_accept_result<Protocol, Executor, MoveAcceptToken, Executor1>
  {
    return interlock::detail::functions::start_accept<Executor1>(
      interlock_core_, ex, nullptr, std::forward<MoveAcceptToken>(token));
  }

  /// Start an asynchronous accept of a new connection into a socket of @c context.
  template <class ExecutionContext,
    INTERLOCK_TOKEN_FOR(void(boost::system::error_code,
      interlock::detail::accepted_socket<Protocol, typename ExecutionContext::executor_type>))
      MoveAcceptToken = interlock::detail::default_token<Executor>,
    interlock::detail::if_context<ExecutionContext> = 0>
  auto async_accept(ExecutionContext& context,
    MoveAcceptToken&& token = interlock::detail::default_token<Executor>())
    -> interlock::detail::move_accept_result<Protocol, Executor, MoveAcceptToken,
      typename ExecutionContext::executor_type>
  {
    return interlock::detail::functions::start_accept<typename ExecutionContext::executor_type>(
      interlock_core_, context.get_executor(), nullptr, std::forward<MoveAcceptToken>(token));
  }

  /// Start an asynchronous accept of a new connection, and obtain its endpoint.
  // Without a concept: of a call with a socket, gcc would look at the token's handler before it sees that the
  // socket is no endpoint. A generic handler for that call need not compile with a new socket.
  template <class MoveAcceptToken = interlock::detail::default_token<Executor>>
  auto async_accept(endpoint_type& peer_endpoint,
    MoveAcceptToken&& token = interlock::detail::default_token<Executor>())
    -> interlock::detail::move_accept_result<Protocol, Executor, MoveAcceptToken, executor_type>
  {
    return interlock::detail::functions::start_accept<executor_type>(
      interlock_core_, this->get_executor(), &peer_endpoint, std::forward<MoveAcceptToken>(token));
  }

  /// Start an asynchronous accept of a new connection into a socket with the executor @c ex, and obtain
  /// its endpoint.
  template <class Executor1,
    INTERLOCK_TOKEN_FOR(
      void(boost::system::error_code, interlock::detail::accepted_socket<Protocol, Executor1>))
      MoveAcceptToken = interlock::detail::default_token<Executor>,
    interlock::detail::if_executor<Executor1> = 0>
  auto async_accept(const Executor1& ex, endpoint_type& peer_endpoint,
    MoveAcceptToken&& token = interlock::detail::default_token<Executor>())
    -> interlock::detail::move_accept_result<Protocol, Executor, MoveAcceptToken, Executor1>
  {
    return interlock::detail::functions::start_accept<Executor1>(
      interlock_core_, ex, &peer_endpoint, std::forward<MoveAcceptToken>(token));
  }

  /// Start an asynchronous accept of a new connection into a socket of @c context, and obtain its
  /// endpoint.
  template <class ExecutionContext,
    INTERLOCK_TOKEN_FOR(void(boost::system::error_code,
      interlock::detail::accepted_socket<Protocol, typename ExecutionContext::executor_type>))
      MoveAcceptToken = interlock::detail::default_token<Executor>,
    interlock::detail::if_context<ExecutionContext> = 0>
  auto async_accept(ExecutionContext& context, endpoint_type& peer_endpoint,
    MoveAcceptToken&& token = interlock::detail::default_token<Executor>())
    -> interlock::detail::move_accept_result<Protocol, Executor, MoveAcceptToken,
      typename ExecutionContext::executor_type>
  {
    return interlock::detail::functions::start_accept<typename ExecutionContext::executor_type>(
      interlock_core_, context.get_executor(), &peer_endpoint,
      std::forward<MoveAcceptToken>(token));
  }
};

} // namespace asio
} // namespace boost

#endif // INTERLOCK_BASIC_SOCKET_ACCEPTOR_HPP
