// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// async_teardown for TLS over Interlock's sockets, and over Beast's streams of them: as in websocket_teardown.hpp.
// Beast's would send close_notify by an async_shutdown of its own.

#ifndef INTERLOCK_DETAIL_ADAPT_WEBSOCKET_TLS_TEARDOWN_HPP
#define INTERLOCK_DETAIL_ADAPT_WEBSOCKET_TLS_TEARDOWN_HPP

#include <type_traits>
#include <utility>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/rate_policy.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include <interlock/closable.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/adapt/beast_layer.hpp>
#include <interlock/detail/adapt/beast_tls_layer.hpp>
#include <interlock/detail/adapt/tls_layer.hpp>
#include <interlock/detail/adapt/websocket_teardown.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

template <class Protocol, class Executor>
struct takes_teardown_over<
  boost::asio::ssl::stream<boost::asio::basic_stream_socket<closable<Protocol>, Executor>>>
  : std::true_type
{
};

template <class Protocol, class Executor>
struct takes_teardown_over<boost::asio::ssl::stream<
  boost::beast::basic_stream<closable<Protocol>, Executor, boost::beast::unlimited_rate_policy>>>
  : std::true_type
{
};

// It hands the teardown on to the stream that it wraps.
template <class Next>
struct takes_teardown_over<boost::beast::ssl_stream<Next>>
  : takes_teardown_over<boost::asio::ssl::stream<Next>>
{
};

namespace functions {

template <class Stream, class TeardownHandler>
void tear_down_tls(boost::beast::role_type role, Stream& s, TeardownHandler&& handler)
{
  if (functions::are_layers_closing(s))
    functions::skip_teardown(s, std::forward<TeardownHandler>(handler));
  else
    boost::beast::async_teardown(role, s, std::forward<TeardownHandler>(handler));
}

} // namespace functions
} // namespace detail

/// @cond
template <class Protocol, class Executor, class TeardownHandler>
void async_teardown(boost::beast::role_type role,
  boost::asio::ssl::stream<boost::asio::basic_stream_socket<closable<Protocol>, Executor>>& s,
  TeardownHandler&& handler)
{
  detail::functions::tear_down_tls(role, s, std::forward<TeardownHandler>(handler));
}

template <class Protocol, class Executor, class TeardownHandler>
void async_teardown(boost::beast::role_type role,
  boost::asio::ssl::stream<boost::beast::basic_stream<closable<Protocol>, Executor,
    boost::beast::unlimited_rate_policy>>& s,
  TeardownHandler&& handler)
{
  detail::functions::tear_down_tls(role, s, std::forward<TeardownHandler>(handler));
}
/// @endcond

} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_ADAPT_WEBSOCKET_TLS_TEARDOWN_HPP
