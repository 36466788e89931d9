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
#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/initiation.hpp>
#include <interlock/detail/core/repeating.hpp>
#include <interlock/detail/members/closing_members.hpp>
#include <interlock/detail/members/socket_calls.hpp>

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
  using peer_protocol =
    typename std::decay_t<decltype(access::core(peer))>::tenure_type::protocol_type;
  const peer_protocol p(protocol);
  access::core(peer).adopt(std::move(accepted), ec,
    [&](auto& t, error_code&)
    {
      if (tainted)
        t.taint();
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
      functions::give_connection(*peer, protocol, listener->is_tainted(), std::move(accepted), ec);
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
      functions::give_connection(peer, protocol, listener->is_tainted(), std::move(accepted), ec);
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

  /// Accepts into a new `Peer`; the last argument only names its type.
  template <class Handler, class Executor, class Endpoint, class Peer>
  void operator()(Handler&& handler, const Executor& ex, Endpoint* endpoint, Peer* /*made*/) const
  {
    own_handler<Handler> own(handler);
    accept(
      own, ex, endpoint,
      [](const tenure_type& t) {
        return accept_new<Peer, protocol>{t.protocol(), &t};
      },
      [this, &ex](auto& h, error_code ec) { this->fail(h, ec, Peer(ex)); });
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

} // namespace functions
} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_MEMBERS_ACCEPT_HPP
