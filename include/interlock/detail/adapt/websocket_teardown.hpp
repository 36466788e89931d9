// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What Beast's websockets call when the close handshake is over: async_teardown for Interlock's sockets.
//
// Beast finds it by argument-dependent lookup, through any layers that hand the teardown on. It is more specialised
// than Beast's own, which it calls unless the layers of the connection are being closed.

#ifndef INTERLOCK_DETAIL_ADAPT_WEBSOCKET_TEARDOWN_HPP
#define INTERLOCK_DETAIL_ADAPT_WEBSOCKET_TEARDOWN_HPP

#include <type_traits>
#include <utility>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/beast/websocket/teardown.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/closable.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/adapt/layer.hpp>
#include <interlock/detail/adapt/running_closes.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// Whether a websocket on a stream of type `Stream` leaves the teardown to the close of the stack.
template <class Stream, class = void>
struct takes_teardown_over : std::false_type
{
};

template <class Stream>
struct takes_teardown_over<Stream, std::enable_if_t<layer<Stream>::is_connection>> : std::true_type
{
};

template <class Stream>
struct takes_teardown_over<Stream,
  std::enable_if_t<!layer<Stream>::is_connection && !layer<Stream>::has_end>>
  : takes_teardown_over<next_of<Stream>>
{
};

namespace functions {

/// Whether a close of the stack is under way, for a function that its connection runs.
template <class Stream>
bool are_layers_closing(Stream& s)
{
  auto& core = functions::core_of(s);
  return running_closes::has(core.get_executor(), core.identity());
}

/// Completes a teardown that does nothing. As Beast demands, not within the call.
template <class Stream, class Handler>
void skip_teardown(Stream& s, Handler&& handler)
{
  boost::asio::post(s.get_executor(),
    boost::beast::bind_front_handler(std::forward<Handler>(handler), boost::system::error_code()));
}

} // namespace functions
} // namespace detail

/// @cond
template <class Protocol, class Executor, class TeardownHandler>
void async_teardown(boost::beast::role_type role,
  boost::asio::basic_stream_socket<closable<Protocol>, Executor>& socket, TeardownHandler&& handler)
{
  if (detail::functions::are_layers_closing(socket))
    detail::functions::skip_teardown(socket, std::forward<TeardownHandler>(handler));
  else
    boost::beast::websocket::async_teardown(role, socket, std::forward<TeardownHandler>(handler));
}
/// @endcond

} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_ADAPT_WEBSOCKET_TEARDOWN_HPP
