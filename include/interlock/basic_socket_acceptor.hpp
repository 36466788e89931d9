// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Asio's basic_socket_acceptor, specialised for a closable protocol.

#ifndef INTERLOCK_BASIC_SOCKET_ACCEPTOR_HPP
#define INTERLOCK_BASIC_SOCKET_ACCEPTOR_HPP

#include <type_traits>
#include <utility>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/execution/executor.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/socket_base.hpp>

#include <interlock/basic_socket.hpp>
#include <interlock/borrowed.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/members/accept.hpp>
#include <interlock/detail/members/access.hpp>
#include <interlock/detail/members/closing_members.hpp>
#include <interlock/detail/members/socket_calls.hpp>

namespace interlock
{
inline namespace abi_0
{
namespace detail
{

template <class Protocol, class Executor>
struct frees_address<boost::asio::basic_socket_acceptor<Protocol, Executor>> : std::true_type
{
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

namespace boost
{
namespace asio
{

/// An acceptor that may be closed from any thread, at any moment, while other threads use it.
/**
 * The members are those of Asio's basic_socket_acceptor. Connections are accepted into sockets of
 * the closable protocol, or into Asio's own.
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Safe, but for construction, move and destruction.
 */
template <class Protocol, class Executor>
class basic_socket_acceptor<interlock::closable<Protocol>, Executor>
  : public socket_base,
    public interlock::detail::closing_members<
      interlock::detail::io_core<boost::asio::basic_socket_acceptor<Protocol, Executor>>>
{
private:
  using asio_type = boost::asio::basic_socket_acceptor<Protocol, Executor>;
  using core_type = interlock::detail::io_core<asio_type>;
  using closing = interlock::detail::closing_members<core_type>;
  using closing::core_;
  using error_code = boost::system::error_code;
  using initiate_async_wait = interlock::detail::initiate_wait<core_type>;
  using initiate_async_accept = interlock::detail::initiate_accept<core_type>;
  using default_token = interlock::detail::default_token<Executor>;
  template <class Executor1>
  using peer =
    typename interlock::closable<Protocol>::socket::template rebind_executor<Executor1>::other;
  template <class T>
  using if_context = std::enable_if_t<std::is_convertible<T&, execution_context&>::value, int>;
  template <class T>
  using if_executor =
    std::enable_if_t<execution::is_executor<T>::value || boost::asio::is_executor<T>::value, int>;
  /// Peers and executors are no tokens, although as such they would be the better match.
  template <class T>
  using if_token = std::enable_if_t<!std::is_base_of<socket_base, std::decay_t<T>>::value
      && !execution::is_executor<std::decay_t<T>>::value
      && !boost::asio::is_executor<std::decay_t<T>>::value,
    int>;
  template <class Protocol1>
  using if_peer =
    std::enable_if_t<std::is_convertible<interlock::closable<Protocol>, Protocol1>::value, int>;
  template <class Protocol1>
  using if_own = std::enable_if_t<std::is_same<Protocol1, Protocol>::value, int>;
  template <class Protocol1, class Executor1>
  using if_convertible = std::enable_if_t<std::is_convertible<Protocol1, Protocol>::value
      && std::is_convertible<Executor1, Executor>::value,
    int>;
  template <class Token, class... Args>
  using accept_result =
    interlock::detail::initiation_result<Token, void(error_code), initiate_async_accept, Args...>;
  template <class Token, class Executor1>
  using move_accept_result =
    interlock::detail::initiation_result<Token, void(error_code, peer<Executor1>),
      initiate_async_accept, Executor1, typename Protocol::endpoint*&, peer<Executor1>*>;

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

  /// The native representation of an acceptor.
  using native_handle_type = typename asio_type::native_handle_type;

  /// The protocol type.
  using protocol_type = interlock::closable<Protocol>;

  /// The endpoint type.
  using endpoint_type = typename Protocol::endpoint;

  /// Construct an acceptor without opening it.
  explicit basic_socket_acceptor(const executor_type& ex)
    : closing(ex)
  {
  }

  /// Construct an acceptor without opening it.
  template <class ExecutionContext, if_context<ExecutionContext> = 0>
  explicit basic_socket_acceptor(ExecutionContext& context)
    : closing(context.get_executor())
  {
  }

  /// Construct an open acceptor.
  basic_socket_acceptor(const executor_type& ex, const protocol_type& protocol)
    : closing(ex)
  {
    open(protocol);
  }

  /// Construct an open acceptor.
  template <class ExecutionContext, if_context<ExecutionContext> = 0>
  basic_socket_acceptor(ExecutionContext& context, const protocol_type& protocol)
    : closing(context.get_executor())
  {
    open(protocol);
  }

  /// Construct an open acceptor of Asio's own protocol. (It would do for a generic endpoint as well.)
  template <class Protocol1, if_own<Protocol1> = 0>
  basic_socket_acceptor(const executor_type& ex, const Protocol1& protocol)
    : closing(ex)
  {
    open(protocol);
  }

  /// Construct an open acceptor of Asio's own protocol. (It would do for a generic endpoint as well.)
  template <class ExecutionContext, class Protocol1, if_context<ExecutionContext> = 0,
    if_own<Protocol1> = 0>
  basic_socket_acceptor(ExecutionContext& context, const Protocol1& protocol)
    : closing(context.get_executor())
  {
    open(protocol);
  }

  /// Construct an acceptor opened, bound to the given endpoint, and listening.
  basic_socket_acceptor(
    const executor_type& ex, const endpoint_type& endpoint, bool reuse_addr = true)
    : closing(ex)
  {
    open_listening(endpoint, reuse_addr);
  }

  /// Construct an acceptor opened, bound to the given endpoint, and listening.
  template <class ExecutionContext, if_context<ExecutionContext> = 0>
  basic_socket_acceptor(
    ExecutionContext& context, const endpoint_type& endpoint, bool reuse_addr = true)
    : closing(context.get_executor())
  {
    open_listening(endpoint, reuse_addr);
  }

  /// Construct an acceptor on an existing native acceptor.
  basic_socket_acceptor(const executor_type& ex, const protocol_type& protocol,
    const native_handle_type& native_acceptor)
    : closing(ex)
  {
    assign(protocol, native_acceptor);
  }

  /// Construct an acceptor on an existing native acceptor.
  template <class ExecutionContext, if_context<ExecutionContext> = 0>
  basic_socket_acceptor(ExecutionContext& context, const protocol_type& protocol,
    const native_handle_type& native_acceptor)
    : closing(context.get_executor())
  {
    assign(protocol, native_acceptor);
  }

  /// Construct on a native acceptor that somebody else owns.
  basic_socket_acceptor(const executor_type& ex, const protocol_type& protocol,
    const native_handle_type& native_acceptor, interlock::borrowed_t borrowed)
    : closing(ex)
  {
    assign(protocol, native_acceptor, borrowed);
  }

  /// Construct on a native acceptor that somebody else owns.
  template <class ExecutionContext, if_context<ExecutionContext> = 0>
  basic_socket_acceptor(ExecutionContext& context, const protocol_type& protocol,
    const native_handle_type& native_acceptor, interlock::borrowed_t borrowed)
    : closing(context.get_executor())
  {
    assign(protocol, native_acceptor, borrowed);
  }

  /// Move-construct an acceptor. The moved-from object is as one constructed with its executor.
  basic_socket_acceptor(basic_socket_acceptor&& other) noexcept = default;

  /// Move-assign an acceptor. What this object has open is closed as by its destructor.
  basic_socket_acceptor& operator=(basic_socket_acceptor&& other) noexcept = default;

  /// Move-construct an acceptor from one of another protocol or executor type.
  template <class Protocol1, class Executor1, if_convertible<Protocol1, Executor1> = 0>
  basic_socket_acceptor(basic_socket_acceptor<interlock::closable<Protocol1>, Executor1>&& other)
    : closing(other.get_executor())
  {
    core_.take_from(interlock::detail::access::core(other),
      [](auto& to, auto& from, error_code& ec) { to.set_protocol(Protocol(from.protocol()), ec); });
  }

  /// Move-assign an acceptor from one of another protocol or executor type.
  template <class Protocol1, class Executor1, if_convertible<Protocol1, Executor1> = 0>
  basic_socket_acceptor& operator=(
    basic_socket_acceptor<interlock::closable<Protocol1>, Executor1>&& other)
  {
    return *this = basic_socket_acceptor(std::move(other));
  }

  /// Closes what the acceptor has open: never blocks, see close().
  ~basic_socket_acceptor() = default;

  /// Get the executor associated with the object.
  const executor_type& get_executor() noexcept
  {
    return core_.get_executor();
  }

  /// Open the acceptor using the specified protocol.
  void open(const protocol_type& protocol = protocol_type())
  {
    interlock::detail::or_throw("open", [&](error_code& ec) { open(protocol, ec); });
  }

  /// Open the acceptor using the specified protocol.
  error_code open(const protocol_type& protocol, error_code& ec)
  {
    return interlock::detail::open_socket(core_, static_cast<const Protocol&>(protocol), ec);
  }

  /// Assign an existing native acceptor to the acceptor. On failure it remains the caller's.
  void assign(const protocol_type& protocol, const native_handle_type& native_acceptor)
  {
    interlock::detail::or_throw(
      "assign", [&](error_code& ec) { assign(protocol, native_acceptor, ec); });
  }

  /// Assign an existing native acceptor to the acceptor. On failure it remains the caller's.
  error_code assign(
    const protocol_type& protocol, const native_handle_type& native_acceptor, error_code& ec)
  {
    return interlock::detail::assign_socket(
      core_, static_cast<const Protocol&>(protocol), native_acceptor, false, ec);
  }

  /// Assign a native acceptor that somebody else owns: see interlock::borrowed.
  void assign(const protocol_type& protocol, const native_handle_type& native_acceptor,
    interlock::borrowed_t borrowed)
  {
    interlock::detail::or_throw(
      "assign", [&](error_code& ec) { assign(protocol, native_acceptor, borrowed, ec); });
  }

  /// Assign a native acceptor that somebody else owns: see interlock::borrowed.
  error_code assign(const protocol_type& protocol, const native_handle_type& native_acceptor,
    interlock::borrowed_t, error_code& ec)
  {
    return interlock::detail::assign_socket(
      core_, static_cast<const Protocol&>(protocol), native_acceptor, true, ec);
  }

  /// Determine whether the acceptor is open.
  bool is_open() const
  {
    return core_.is_open();
  }

  /// Bind the acceptor to the given local endpoint.
  void bind(const endpoint_type& endpoint)
  {
    interlock::detail::or_throw("bind", [&](error_code& ec) { bind(endpoint, ec); });
  }

  /// Bind the acceptor to the given local endpoint.
  error_code bind(const endpoint_type& endpoint, error_code& ec)
  {
    return interlock::detail::bind_socket(core_, endpoint, ec);
  }

  /// Place the acceptor into the state where it will listen for new connections.
  void listen(int backlog = socket_base::max_listen_connections)
  {
    interlock::detail::or_throw("listen", [&](error_code& ec) { listen(backlog, ec); });
  }

  /// Place the acceptor into the state where it will listen for new connections.
  error_code listen(int backlog, error_code& ec)
  {
    core_.inside(ec,
      [backlog](auto& t, error_code& e) { interlock::detail::calls::listen(t.fd(), backlog, e); });
    return ec;
  }

  /// Close the acceptor: see basic_socket::close. Connections not yet accepted are reset.
  /**
   * The address is free when this returns: it waits for close(2), which follows at once on its own
   * thread. At most 100 ms, should another thread stay inside, or a blocked close(2) be before it; a
   * lease is not waited for.
   */
  void close()
  {
    core_.close();
  }

  /// Close the acceptor. @c ec is always clear.
  error_code close(error_code& ec)
  {
    core_.close();
    return ec = error_code();
  }

  /// Release ownership of the underlying native acceptor, cancelling the operations outstanding on
  /// it.
  native_handle_type release()
  {
    return interlock::detail::or_throw("release", [&](error_code& ec) { return release(ec); });
  }

  /// Release ownership of the underlying native acceptor, cancelling the operations outstanding on
  /// it.
  native_handle_type release(error_code& ec)
  {
    return core_.release(ec);
  }

  /// Get the native acceptor representation: -1 when closed. It may be closed, and be another's, at
  /// any time after.
  native_handle_type native_handle()
  {
    return core_.fd();
  }

  /// Cancel all asynchronous operations associated with the acceptor.
  void cancel()
  {
    interlock::detail::or_throw("cancel", [&](error_code& ec) { cancel(ec); });
  }

  /// Cancel all asynchronous operations associated with the acceptor.
  error_code cancel(error_code& ec)
  {
    return interlock::detail::cancel_all(core_, ec);
  }

  /// Set an option on the acceptor.
  template <class SettableSocketOption>
  void set_option(const SettableSocketOption& option)
  {
    interlock::detail::or_throw("set_option", [&](error_code& ec) { set_option(option, ec); });
  }

  /// Set an option on the acceptor.
  template <class SettableSocketOption>
  error_code set_option(const SettableSocketOption& option, error_code& ec)
  {
    return interlock::detail::set_socket_option(core_, option, ec);
  }

  /// Get an option from the acceptor.
  template <class GettableSocketOption>
  void get_option(GettableSocketOption& option) const
  {
    interlock::detail::or_throw("get_option", [&](error_code& ec) { get_option(option, ec); });
  }

  /// Get an option from the acceptor.
  template <class GettableSocketOption>
  error_code get_option(GettableSocketOption& option, error_code& ec) const
  {
    return interlock::detail::get_socket_option(core_, option, ec);
  }

  /// Perform an IO control command on the acceptor.
  template <class IoControlCommand>
  void io_control(IoControlCommand& command)
  {
    interlock::detail::or_throw("io_control", [&](error_code& ec) { io_control(command, ec); });
  }

  /// Perform an IO control command on the acceptor.
  template <class IoControlCommand>
  error_code io_control(IoControlCommand& command, error_code& ec)
  {
    return interlock::detail::control(core_, command, ec);
  }

  /// Get the non-blocking mode of the acceptor.
  bool non_blocking() const
  {
    return interlock::detail::get_flag(core_, &interlock::detail::user_flags::non_blocking);
  }

  /// Set the non-blocking mode of the acceptor.
  void non_blocking(bool mode)
  {
    interlock::detail::or_throw("non_blocking", [&](error_code& ec) { non_blocking(mode, ec); });
  }

  /// Set the non-blocking mode of the acceptor.
  error_code non_blocking(bool mode, error_code& ec)
  {
    return interlock::detail::set_non_blocking(core_, mode, ec);
  }

  /// Get the non-blocking mode of the native acceptor implementation, as set by the other overload.
  bool native_non_blocking() const
  {
    return interlock::detail::get_flag(core_, &interlock::detail::user_flags::native_non_blocking);
  }

  /// Set the non-blocking mode of the native acceptor implementation. The native acceptor itself is
  /// always O_NONBLOCK.
  void native_non_blocking(bool mode)
  {
    interlock::detail::or_throw(
      "native_non_blocking", [&](error_code& ec) { native_non_blocking(mode, ec); });
  }

  /// Set the non-blocking mode of the native acceptor implementation. The native acceptor itself is
  /// always O_NONBLOCK.
  error_code native_non_blocking(bool mode, error_code& ec)
  {
    return interlock::detail::set_native_non_blocking(core_, mode, ec);
  }

  /// Get the local endpoint of the acceptor.
  endpoint_type local_endpoint() const
  {
    return interlock::detail::or_throw(
      "local_endpoint", [&](error_code& ec) { return local_endpoint(ec); });
  }

  /// Get the local endpoint of the acceptor.
  endpoint_type local_endpoint(error_code& ec) const
  {
    return interlock::detail::endpoint_from<endpoint_type>(
      core_, interlock::detail::calls::local_name, ec);
  }

  /// Wait for the acceptor to become ready to read, ready to write, or to have pending error
  /// conditions.
  void wait(wait_type w)
  {
    interlock::detail::or_throw("wait", [&](error_code& ec) { wait(w, ec); });
  }

  /// Wait for the acceptor to become ready to read, ready to write, or to have pending error
  /// conditions.
  error_code wait(wait_type w, error_code& ec)
  {
    return interlock::detail::wait_ready(core_, interlock::detail::events_of(w), ec);
  }

  /// Start an asynchronous wait for the acceptor to become ready to read, ready to write, or to
  /// have pending error conditions.
  template <class WaitToken = default_token>
  auto async_wait(wait_type w, WaitToken&& token = default_token())
    -> interlock::detail::initiation_result<WaitToken, void(error_code), initiate_async_wait,
      wait_type&>
  {
    return async_initiate<WaitToken, void(error_code)>(initiate_async_wait(&core_), token, w);
  }

  // --- Into a peer that the caller has.

  /// Accept a new connection into @c peer, which must be closed.
  template <class Protocol1, class Executor1, if_peer<Protocol1> = 0>
  void accept(basic_socket<Protocol1, Executor1>& peer_socket)
  {
    interlock::detail::or_throw("accept", [&](error_code& ec) { accept(peer_socket, ec); });
  }

  /// Accept a new connection into @c peer, which must be closed.
  template <class Protocol1, class Executor1, if_peer<Protocol1> = 0>
  error_code accept(basic_socket<Protocol1, Executor1>& peer_socket, error_code& ec)
  {
    return interlock::detail::accept_peer(
      core_, peer_socket, static_cast<endpoint_type*>(nullptr), ec);
  }

  /// Accept a new connection into @c peer, and obtain its endpoint.
  template <class Protocol1, class Executor1, if_peer<Protocol1> = 0>
  void accept(basic_socket<Protocol1, Executor1>& peer_socket, endpoint_type& peer_endpoint)
  {
    interlock::detail::or_throw(
      "accept", [&](error_code& ec) { accept(peer_socket, peer_endpoint, ec); });
  }

  /// Accept a new connection into @c peer, and obtain its endpoint.
  template <class Protocol1, class Executor1, if_peer<Protocol1> = 0>
  error_code accept(
    basic_socket<Protocol1, Executor1>& peer_socket, endpoint_type& peer_endpoint, error_code& ec)
  {
    return interlock::detail::accept_peer(core_, peer_socket, &peer_endpoint, ec);
  }

  /// Start an asynchronous accept into @c peer, which must be closed, and live until the handler is
  /// called.
  template <class Protocol1, class Executor1, class AcceptToken = default_token,
    if_peer<Protocol1> = 0>
  auto async_accept(
    basic_socket<Protocol1, Executor1>& peer_socket, AcceptToken&& token = default_token())
    -> accept_result<AcceptToken, basic_socket<Protocol1, Executor1>*, endpoint_type*>
  {
    return async_initiate<AcceptToken, void(error_code)>(
      initiate_async_accept(&core_), token, &peer_socket, static_cast<endpoint_type*>(nullptr));
  }

  /// Start an asynchronous accept into @c peer, and obtain its endpoint. Both must live until the
  /// handler is called.
  template <class Protocol1, class Executor1, class AcceptToken = default_token,
    if_peer<Protocol1> = 0>
  auto async_accept(basic_socket<Protocol1, Executor1>& peer_socket, endpoint_type& peer_endpoint,
    AcceptToken&& token = default_token())
    -> accept_result<AcceptToken, basic_socket<Protocol1, Executor1>*, endpoint_type*>
  {
    return async_initiate<AcceptToken, void(error_code)>(
      initiate_async_accept(&core_), token, &peer_socket, &peer_endpoint);
  }

  // --- Into a new socket.

  /// Accept a new connection.
  peer<executor_type> accept()
  {
    return accept(get_executor());
  }

  /// Accept a new connection.
  peer<executor_type> accept(error_code& ec)
  {
    return accept(get_executor(), ec);
  }

  /// Accept a new connection into a socket of executor @c ex.
  template <class Executor1, if_executor<Executor1> = 0>
  peer<Executor1> accept(const Executor1& ex)
  {
    return interlock::detail::or_throw("accept", [&](error_code& ec) { return accept(ex, ec); });
  }

  /// Accept a new connection into a socket of @c context.
  template <class ExecutionContext, if_context<ExecutionContext> = 0>
  peer<typename ExecutionContext::executor_type> accept(ExecutionContext& context)
  {
    return accept(context.get_executor());
  }

  /// Accept a new connection into a socket of executor @c ex.
  template <class Executor1, if_executor<Executor1> = 0>
  peer<Executor1> accept(const Executor1& ex, error_code& ec)
  {
    peer<Executor1> accepted(ex);
    accept(accepted, ec);
    return accepted;
  }

  /// Accept a new connection into a socket of @c context.
  template <class ExecutionContext, if_context<ExecutionContext> = 0>
  peer<typename ExecutionContext::executor_type> accept(ExecutionContext& context, error_code& ec)
  {
    return accept(context.get_executor(), ec);
  }

  /// Accept a new connection, and obtain its endpoint.
  peer<executor_type> accept(endpoint_type& peer_endpoint)
  {
    return accept(get_executor(), peer_endpoint);
  }

  /// Accept a new connection, and obtain its endpoint.
  peer<executor_type> accept(endpoint_type& peer_endpoint, error_code& ec)
  {
    return accept(get_executor(), peer_endpoint, ec);
  }

  /// Accept a new connection into a socket of executor @c ex, and obtain its endpoint.
  template <class Executor1, if_executor<Executor1> = 0>
  peer<Executor1> accept(const Executor1& ex, endpoint_type& peer_endpoint)
  {
    return interlock::detail::or_throw(
      "accept", [&](error_code& ec) { return accept(ex, peer_endpoint, ec); });
  }

  /// Accept a new connection into a socket of @c context, and obtain its endpoint.
  template <class ExecutionContext, if_context<ExecutionContext> = 0>
  peer<typename ExecutionContext::executor_type> accept(
    ExecutionContext& context, endpoint_type& peer_endpoint)
  {
    return accept(context.get_executor(), peer_endpoint);
  }

  /// Accept a new connection into a socket of executor @c ex, and obtain its endpoint.
  template <class Executor1, if_executor<Executor1> = 0>
  peer<Executor1> accept(const Executor1& ex, endpoint_type& peer_endpoint, error_code& ec)
  {
    peer<Executor1> accepted(ex);
    accept(accepted, peer_endpoint, ec);
    return accepted;
  }

  /// Accept a new connection into a socket of @c context, and obtain its endpoint.
  template <class ExecutionContext, if_context<ExecutionContext> = 0>
  peer<typename ExecutionContext::executor_type> accept(
    ExecutionContext& context, endpoint_type& peer_endpoint, error_code& ec)
  {
    return accept(context.get_executor(), peer_endpoint, ec);
  }

  /// Start an asynchronous accept of a new connection.
  template <class MoveAcceptToken = default_token, if_token<MoveAcceptToken> = 0>
  auto async_accept(MoveAcceptToken&& token = default_token())
    -> move_accept_result<MoveAcceptToken, executor_type>
  {
    return start_accept<executor_type>(
      get_executor(), nullptr, std::forward<MoveAcceptToken>(token));
  }

  /// Start an asynchronous accept of a new connection into a socket of executor @c ex.
  template <class Executor1, class MoveAcceptToken = interlock::detail::default_token<Executor>,
    if_executor<Executor1> = 0>
  auto async_accept(const Executor1& ex, MoveAcceptToken&& token = default_token())
    -> move_accept_result<MoveAcceptToken, Executor1>
  {
    return start_accept<Executor1>(ex, nullptr, std::forward<MoveAcceptToken>(token));
  }

  /// Start an asynchronous accept of a new connection into a socket of @c context.
  template <class ExecutionContext, class MoveAcceptToken = default_token,
    if_context<ExecutionContext> = 0>
  auto async_accept(ExecutionContext& context, MoveAcceptToken&& token = default_token())
    -> move_accept_result<MoveAcceptToken, typename ExecutionContext::executor_type>
  {
    return start_accept<typename ExecutionContext::executor_type>(
      context.get_executor(), nullptr, std::forward<MoveAcceptToken>(token));
  }

  /// Start an asynchronous accept of a new connection, and obtain its endpoint.
  template <class MoveAcceptToken = default_token>
  auto async_accept(endpoint_type& peer_endpoint, MoveAcceptToken&& token = default_token())
    -> move_accept_result<MoveAcceptToken, executor_type>
  {
    return start_accept<executor_type>(
      get_executor(), &peer_endpoint, std::forward<MoveAcceptToken>(token));
  }

  /// Start an asynchronous accept of a new connection into a socket of executor @c ex, and obtain
  /// its endpoint.
  template <class Executor1, class MoveAcceptToken = default_token, if_executor<Executor1> = 0>
  auto async_accept(const Executor1& ex, endpoint_type& peer_endpoint,
    MoveAcceptToken&& token = default_token()) -> move_accept_result<MoveAcceptToken, Executor1>
  {
    return start_accept<Executor1>(ex, &peer_endpoint, std::forward<MoveAcceptToken>(token));
  }

  /// Start an asynchronous accept of a new connection into a socket of @c context, and obtain its
  /// endpoint.
  template <class ExecutionContext, class MoveAcceptToken = default_token,
    if_context<ExecutionContext> = 0>
  auto async_accept(ExecutionContext& context, endpoint_type& peer_endpoint,
    MoveAcceptToken&& token = default_token())
    -> move_accept_result<MoveAcceptToken, typename ExecutionContext::executor_type>
  {
    return start_accept<typename ExecutionContext::executor_type>(
      context.get_executor(), &peer_endpoint, std::forward<MoveAcceptToken>(token));
  }

private:
  template <class Executor1, class Token>
  auto start_accept(const Executor1& ex, endpoint_type* peer_endpoint, Token&& token)
    -> move_accept_result<Token, Executor1>
  {
    // The executor goes by value: a lazy token calls the initiation when the caller's may be gone.
    return async_initiate<Token, void(error_code, peer<Executor1>)>(initiate_async_accept(&core_),
      token, Executor1(ex), peer_endpoint, static_cast<peer<Executor1>*>(nullptr));
  }

  void open_listening(const endpoint_type& endpoint, bool reuse_addr)
  {
    open(endpoint.protocol());
    if (reuse_addr)
      set_option(socket_base::reuse_address(true));
    bind(endpoint);
    listen();
  }

  friend struct interlock::detail::access;
};

} // namespace asio
} // namespace boost

#endif // INTERLOCK_BASIC_SOCKET_ACCEPTOR_HPP
