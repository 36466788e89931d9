// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Accepts a connection into the caller's socket, which may be closable or Asio's own, or into a new one.

#ifndef INTERLOCK_DETAIL_MEMBERS_ACCEPT_HPP
#define INTERLOCK_DETAIL_MEMBERS_ACCEPT_HPP

#include <optional>
#include <type_traits>
#include <utility>

#include <boost/asio/basic_socket.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/executor.hpp>
#include <boost/asio/is_executor.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/initiation.hpp>
#include <interlock/detail/core/repeating.hpp>
#include <interlock/detail/members/closing_members.hpp>
#include <interlock/detail/members/socket_calls.hpp>
#include <interlock/detail/members/socket_members.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {
namespace functions {

/// Gives the connection to a socket of Asio's own, by a move.
template <class Peer, class Protocol, class Accepted>
auto give_connection(Peer& peer, const Protocol&, bool /*tainted*/, Accepted&& accepted,
  error_code&) -> decltype(peer = std::move(accepted), void())
{
  peer = std::move(accepted);
}

/// Gives the connection to a closable socket. `tainted`: as the listener is, from which it has inherited.
template <class Peer, class Protocol, class Accepted>
auto give_connection(Peer& peer, const Protocol& protocol, bool tainted, Accepted&& accepted,
  error_code& ec) -> decltype(access::core(peer), void())
{
  using peer_protocol = typename core_of<Peer>::tenure_type::protocol_type;
  const peer_protocol p(protocol);
  access::core(peer).adopt(std::move(accepted), ec,
    [&](auto& t, error_code&)
    {
      if (tainted)
        t.marks().taint();
      t.set_protocol(p);
    });
}

} // namespace functions

/// Completes an accept into the caller's socket: gives it the connection, then calls the user's handler.
template <class Peer, class Protocol>
struct accept_into
{
  Peer* peer;
  Protocol protocol;
  const tenure_base* listener; // whose handler this is

  template <class Handler, class Accepted>
  void operator()(Handler&& handler, error_code ec, Accepted&& accepted)
  {
    if (!ec)
      functions::give_connection(
        *peer, protocol, listener->marks().is_tainted(), std::move(accepted), ec);
    std::move(handler)(ec);
  }
};

/// Completes an accept into a new socket: makes it, then calls the user's handler with it.
template <class Peer, class Protocol>
struct accept_new
{
  Protocol protocol;
  const tenure_base* listener; // whose handler this is

  template <class Handler, class Accepted>
  void operator()(Handler&& handler, error_code ec, Accepted&& accepted)
  {
    Peer peer(accepted.get_executor());
    if (!ec)
      functions::give_connection(
        peer, protocol, listener->marks().is_tainted(), std::move(accepted), ec);
    std::move(handler)(ec, std::move(peer));
  }
};

/// Begins an accept again in two cases. No descriptor left: once, after the queued closes. An aborted
/// connection, if Asio reports it, which it does not while its own object lacks enable_connection_aborted.
template <class Executor, class Endpoint>
struct accept_again
{
  Executor executor;
  Endpoint* endpoint;
  bool has_waited = false;

  bool possible(const error_code& ec) const noexcept
  {
    return is_aborted_connection(ec) || (is_out_of_descriptors(ec) && !has_waited);
  }

  template <class Tenure>
  bool premature(Tenure& t, const error_code& ec) noexcept
  {
    if (is_aborted_connection(ec))
      return !t.flags().connection_aborted;
    has_waited = true;
    return detail::descriptors_may_have_come(t, ec);
  }

  template <class Inner, class Handler>
  void begin(Inner& inner, Handler&& handler)
  {
    if (endpoint)
      inner.async_accept(executor, *endpoint, std::forward<Handler>(handler));
    else
      inner.async_accept(executor, std::forward<Handler>(handler));
  }
};

template <class Core>
class initiate_accept : public initiation<Core>
{
public:
  using initiation<Core>::initiation;

  /// Accepts into `peer`; `endpoint` may be null.
  template <class Handler, class Peer, class Endpoint>
  void operator()(Handler&& handler, Peer* peer, Endpoint* endpoint) const
  {
    constexpr bool met = can_take<Handler, const error_code&>;
    static_assert(met, "AcceptHandler type requirements not met");
    if constexpr (met)
    {
      own_handler<Handler> own(handler);
      if (peer->is_open())
        this->fail(own, error_code(boost::asio::error::already_open));
      else
        accept(
          own, peer->get_executor(), endpoint,
          [peer](const tenure_type& t) {
            return accept_into<Peer, protocol>{peer, t.protocol(), &t};
          },
          [this](auto& h, error_code ec) { this->fail(h, ec); });
    }
  }

  /// Accepts into a new `Peer`; the last argument only names its type.
  template <class Handler, class Executor, class Endpoint, class Peer>
  void operator()(Handler&& handler, const Executor& ex, Endpoint* endpoint, Peer* /*made*/) const
  {
    constexpr bool met = can_take<Handler, const error_code&, Peer>;
    static_assert(met, "MoveAcceptHandler type requirements not met");
    if constexpr (met)
    {
      own_handler<Handler> own(handler);
      accept(
        own, ex, endpoint,
        [](const tenure_type& t) {
          return accept_new<Peer, protocol>{t.protocol(), &t};
        },
        [this, &ex](auto& h, error_code ec) { this->fail(h, ec, Peer(ex)); });
    }
  }

private:
  using tenure_type = typename Core::tenure_type;
  using protocol = typename tenure_type::protocol_type;

  template <class Handler, class Executor, class Endpoint, class Give, class Fail>
  void accept(
    Handler& handler, const Executor& ex, Endpoint* endpoint, Give give_to, Fail fail) const
  {
    using policy = accept_again<Executor, Endpoint>;
    using repeats = repeating<typename Core::inner_type, policy, tracking_of<Handler>>;
    this->core_->template start<op_kind::other>(
      handler,
      [&](tenure_type& t, tracking_of<Handler>&& tracked, Handler& h)
      {
        policy p{ex, endpoint};
        auto gives = functions::adapt(std::move(h), give_to(t)); // called by `repeats`
        p.begin(t.inner(), functions::adapt(std::move(gives), repeats(std::move(tracked), p)));
      },
      fail);
  }
};

/// Allows a call with an executor.
template <class T>
using if_executor = std::enable_if_t<
  boost::asio::execution::is_executor<T>::value || boost::asio::is_executor<T>::value, int>;

/// Excludes peers and executors from the tokens of an accept: overload resolution would prefer them as tokens.
template <class T>
using if_accept_token =
  std::enable_if_t<!std::is_base_of<boost::asio::socket_base, std::decay_t<T>>::value
      && !boost::asio::execution::is_executor<std::decay_t<T>>::value
      && !boost::asio::is_executor<std::decay_t<T>>::value,
    int>;

/// Allows a move between acceptors.
template <class Protocol1, class Executor1, class Protocol, class Executor>
using if_convertible_acceptor = std::enable_if_t<std::is_convertible<Protocol1, Protocol>::value
    && std::is_convertible<Executor1, Executor>::value,
  int>;

template <class Protocol, class Executor>
using acceptor_core = io_core<boost::asio::basic_socket_acceptor<Protocol, Executor>>;

/// The socket that a new connection becomes.
template <class Protocol, class Executor>
using accepted_socket =
  typename closable<Protocol>::socket::template rebind_executor<Executor>::other;

template <class Core, class Token, class... Args>
using accept_result = initiation_result<Token, void(error_code), initiate_accept<Core>, Args...>;

/// `Executor1`: that of the new socket.
template <class Protocol, class Executor, class Token, class Executor1>
using move_accept_result =
  initiation_result<Token, void(error_code, accepted_socket<Protocol, Executor1>),
    initiate_accept<acceptor_core<Protocol, Executor>>, Executor1, typename Protocol::endpoint*&,
    accepted_socket<Protocol, Executor1>*>;

namespace functions {

/// Gives the connection to a socket of Asio's own.
template <class Peer, class Protocol>
void give_descriptor(
  Peer& peer, const Protocol& p, const assigned_descriptor& d, error_code& ec, long /*is_asios*/)
{
  peer.assign(p, d.fd, ec);
}

/// Gives the connection to a closable socket.
template <class Peer, class Protocol>
auto give_descriptor(Peer& peer, const Protocol& p, const assigned_descriptor& d, error_code& ec,
  int /*is_ours*/) -> decltype(access::core(peer), void())
{
  functions::assign_socket(access::core(peer), p, d, ec);
}

/// Accepts into `peer` and waits for the connection; `endpoint` may be null.
template <class Core, class Peer, class Endpoint>
error_code accept_peer(Core& core, Peer& peer, Endpoint* endpoint, error_code& ec)
{
  if (peer.is_open())
    return ec = boost::asio::error::already_open;
  using protocol = typename Core::tenure_type::protocol_type;
  std::optional<protocol> accepted_protocol;
  const assigned_descriptor d = functions::accept_descriptor(core, endpoint, accepted_protocol, ec);
  if (d.fd < 0)
    return ec;
  functions::give_descriptor(peer, typename Peer::protocol_type(*accepted_protocol), d, ec, 0);
  if (ec)
    close_unused(d.fd);
  return ec;
}

/// Starts an accept into a new socket with the executor `ex`; `endpoint` may be null.
template <class Executor1, class Protocol, class Executor, class Token>
auto start_accept(io_core<boost::asio::basic_socket_acceptor<Protocol, Executor>>& core,
  const Executor1& ex, typename Protocol::endpoint* endpoint, Token&& token)
  -> move_accept_result<Protocol, Executor, Token, Executor1>
{
  using peer = accepted_socket<Protocol, Executor1>;
  // The executor is passed by value: a lazy token may call the initiation after the caller's is gone.
  return boost::asio::async_initiate<Token, void(error_code, peer)>(
    initiate_accept<acceptor_core<Protocol, Executor>>(&core), token, Executor1(ex), endpoint,
    static_cast<peer*>(nullptr));
}

/// Opens, binds and listens.
template <class Acceptor>
void open_listening(
  Acceptor& a, const typename Acceptor::endpoint_type& endpoint, bool reuse_address)
{
  a.open(endpoint.protocol());
  if (reuse_address)
    a.set_option(boost::asio::socket_base::reuse_address(true));
  a.bind(endpoint);
  a.listen();
}

} // namespace functions
} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_MEMBERS_ACCEPT_HPP
