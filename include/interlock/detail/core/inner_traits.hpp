// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What the core needs to know about the type of an Asio object, `Inner`, and about its executor. The header
// that brings a class, public or in detail/members/, specialises the last three traits where they hold.

#ifndef INTERLOCK_DETAIL_CORE_INNER_TRAITS_HPP
#define INTERLOCK_DETAIL_CORE_INNER_TRAITS_HPP

#include <type_traits>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/strand.hpp>

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// The strand of an executor: itself, where it is one already.
template <class Executor>
struct strand_of
{
  using type = boost::asio::strand<Executor>;
};

template <class Executor>
struct strand_of<boost::asio::strand<Executor>>
{
  using type = boost::asio::strand<Executor>;
};

/// The protocol of a socket, which Asio's own object does not return. Descriptors have none.
template <class Inner, class = void>
struct protocol_of
{
  static constexpr bool is_socket = false;

  struct type
  {
  };
};

template <class Inner>
struct protocol_of<Inner, std::void_t<typename Inner::protocol_type>>
{
  static constexpr bool is_socket = true;

  using type = typename Inner::protocol_type;
};

template <class Inner>
struct is_acceptor : std::false_type
{
};

template <class Protocol, class Executor>
struct is_acceptor<boost::asio::basic_socket_acceptor<Protocol, Executor>> : std::true_type
{
};

/// Whether a close can wait until outstanding writes, and everything sent, are delivered.
template <class Inner>
struct can_deliver : std::false_type
{
};

/// Whether SO_LINGER can make close(2) wait.
template <class Inner>
struct may_linger : can_deliver<Inner>
{
};

/// Whether `close()` waits for a short time for close(2), because the object has an address to itself, which
/// has to be free afterwards.
template <class Inner>
struct frees_address : std::false_type
{
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CORE_INNER_TRAITS_HPP
