// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Asio's basic_datagram_socket, specialised for a closable protocol: datagrams, to and from the connected
// peer or an endpoint given with each.

#ifndef INTERLOCK_BASIC_DATAGRAM_SOCKET_HPP
#define INTERLOCK_BASIC_DATAGRAM_SOCKET_HPP

#include <utility>

#include <boost/asio/basic_datagram_socket.hpp>

#include <interlock/basic_socket.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/members/addressed_transfers.hpp>

namespace boost {
namespace asio {

/// A datagram socket that any thread may close at any moment while other threads use it.
/**
 * The members are those of Asio's basic_datagram_socket. The local address is free when @c close or the destructor
 * returns, unless a lease exists, an `async_close` has begun, or an AF_UNIX socket has unread input. While another
 * thread is in a call on the object, @c close waits for it, for 100 ms at most.
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Safe, except for construction, move and destruction.
 *
 * @example_of{example/objects.cpp,objects_datagram_socket}
 */
template <class Protocol, class Executor>
class basic_datagram_socket<interlock::closable<Protocol>, Executor>
  : public interlock::detail::bases::addressed_transfers<Protocol, Executor>
{
private:
  using interlock_base = interlock::detail::bases::addressed_transfers<Protocol, Executor>;

public:
  /// Rebinds the socket type to another executor.
  template <class Executor1>
  struct rebind_executor
  {
    /// The socket type when rebound to the specified executor.
    using other = basic_datagram_socket<interlock::closable<Protocol>, Executor1>;
  };

  /// Construct a socket: see basic_socket.
  using interlock_base::interlock_base;

  /// Move-construct a socket. The moved-from object is as if newly constructed with its executor.
  basic_datagram_socket(basic_datagram_socket&& other) noexcept = default;

  /// Move-assign a socket. Closes what this object has open, as its destructor does.
  basic_datagram_socket& operator=(basic_datagram_socket&& other) noexcept = default;

  /// Move-construct a socket from one of another protocol or executor type; may throw error::in_use.
  template <class Protocol1, class Executor1,
    interlock::detail::if_convertible_socket<Protocol1, Executor1, Protocol, Executor> = 0>
  basic_datagram_socket(basic_datagram_socket<interlock::closable<Protocol1>, Executor1>&& other)
    : interlock_base(std::move(other))
  {
  }

  /// Move-assign a socket from one of another protocol or executor type.
  template <class Protocol1, class Executor1,
    interlock::detail::if_convertible_socket<Protocol1, Executor1, Protocol, Executor> = 0>
  basic_datagram_socket& operator=(
    basic_datagram_socket<interlock::closable<Protocol1>, Executor1>&& other)
  {
    return *this = basic_datagram_socket(std::move(other));
  }

  /// Destroy the socket. Closes what it has open; never blocks.
  ~basic_datagram_socket() = default;
};

} // namespace asio
} // namespace boost

#endif // INTERLOCK_BASIC_DATAGRAM_SOCKET_HPP
