// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The layers of a stack: which stream stands on which, down to the connection, an Interlock socket.

#ifndef INTERLOCK_DETAIL_ADAPT_LAYER_HPP
#define INTERLOCK_DETAIL_ADAPT_LAYER_HPP

#include <cstddef>
#include <type_traits>

#include <boost/asio/basic_stream_socket.hpp>

#include <interlock/basic_stream_socket.hpp>
#include <interlock/closable.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/members/closing_members.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// Each adapter specialises it for its streams, with
/// @li @c has_end: whether the layer has an end of its own to send, and if so
///     @c state, what a close keeps of it; `is_open(stream)`; `send(stream, state, close, layer)`;
///     `receive(stream, state, close, layer)`; `report(stream, state, stack_report&)`;
/// @li `next(stream)`: the stream on which it stands.
template <class Stream>
struct layer
{
  static constexpr bool is_known = false;
};

/// The connection.
template <class Protocol, class Executor>
struct layer<boost::asio::basic_stream_socket<closable<Protocol>, Executor>>
{
  static constexpr bool is_known = true;
  static constexpr bool is_connection = true;
};

/// The base of the other specialisations; `Next` is the type of the stream on which the layer stands.
template <class Next, bool HasEnd>
struct upper_layer
{
  using next_type = Next;

  static constexpr bool is_known = layer<Next>::is_known;
  static constexpr bool is_connection = false;
  static constexpr bool has_end = HasEnd;
};

template <class Stream>
using next_of = typename layer<Stream>::next_type;

/// The states of the layers that have an end, from the top.
template <class Stream, class = void>
struct layer_states
{
  static constexpr std::size_t count = 0;
};

template <class Stream>
struct layer_states<Stream,
  std::enable_if_t<!layer<Stream>::is_connection && !layer<Stream>::has_end>>
  : layer_states<next_of<Stream>>
{
};

template <class Stream>
struct layer_states<Stream,
  std::enable_if_t<!layer<Stream>::is_connection && layer<Stream>::has_end>>
{
  static constexpr std::size_t count = layer_states<next_of<Stream>>::count + 1;

  typename layer<Stream>::state own;
  layer_states<next_of<Stream>> below;
};

/// Whether `Stream` is a stack over an Interlock socket, each layer of which has an adapter.
template <class Stream>
using is_stack = std::integral_constant<bool, layer<Stream>::is_known>;

namespace functions {

template <class Stream>
auto& connection_of(Stream& s) noexcept
{
  if constexpr (layer<Stream>::is_connection)
    return s;
  else
    return functions::connection_of(layer<Stream>::next(s));
}

/// The core of the connection.
template <class Stream>
auto& core_of(Stream& s) noexcept
{
  return access::core(functions::connection_of(s));
}

/// Calls `f(stream, state, number)` for each layer that has an end, from the top.
template <class Stream, class Function>
void for_each_layer(
  Stream& s, layer_states<Stream>& states, const Function& f, std::size_t number = 0)
{
  if constexpr (layer<Stream>::is_connection)
    return;
  else if constexpr (layer<Stream>::has_end)
  {
    f(s, states.own, number);
    functions::for_each_layer(layer<Stream>::next(s), states.below, f, number + 1);
  }
  else
    functions::for_each_layer(
      layer<Stream>::next(s), static_cast<layer_states<next_of<Stream>>&>(states), f, number);
}

} // namespace functions
} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_ADAPT_LAYER_HPP
