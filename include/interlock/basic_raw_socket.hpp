// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Asio's basic_raw_socket, specialised for a closable protocol: packets that contain the protocol's header.

#ifndef INTERLOCK_BASIC_RAW_SOCKET_HPP
#define INTERLOCK_BASIC_RAW_SOCKET_HPP

#include <utility>

#include <boost/asio/basic_raw_socket.hpp>

#include <interlock/basic_socket.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/members/addressed_transfers.hpp>

namespace boost {
namespace asio {

/// A raw socket that any thread may close at any moment while other threads use it.
/**
 * The members are those of Asio's basic_raw_socket. The local address is free when @c close or the destructor
 * returns, unless a lease exists or an `async_close` has begun. While another
 * thread is in a call on the object, @c close waits for it, for 100 ms at most.
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Safe, except for construction, move and destruction.
 *
 * @example_of{example/objects.cpp,objects_raw_socket}
 */
template <class Protocol, class Executor>
class basic_raw_socket<interlock::closable<Protocol>, Executor>
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
    using other = basic_raw_socket<interlock::closable<Protocol>, Executor1>;
  };

  /// Construct a socket: see basic_socket.
  using interlock_base::interlock_base;

  /// Move-construct a socket. The moved-from object is as if newly constructed with its executor.
  basic_raw_socket(basic_raw_socket&& other) noexcept = default;

  /// Move-assign a socket. Closes what this object has open, as its destructor does.
  basic_raw_socket& operator=(basic_raw_socket&& other) noexcept = default;

  /// Move-construct a socket from one of another protocol or executor type; may throw error::in_use.
  template <class Protocol1, class Executor1,
    interlock::detail::if_convertible_socket<Protocol1, Executor1, Protocol, Executor> = 0>
  basic_raw_socket(basic_raw_socket<interlock::closable<Protocol1>, Executor1>&& other)
    : interlock_base(std::move(other))
  {
  }

  /// Move-assign a socket from one of another protocol or executor type.
  template <class Protocol1, class Executor1,
    interlock::detail::if_convertible_socket<Protocol1, Executor1, Protocol, Executor> = 0>
  basic_raw_socket& operator=(basic_raw_socket<interlock::closable<Protocol1>, Executor1>&& other)
  {
    return *this = basic_raw_socket(std::move(other));
  }

  /// Destroy the socket. Closes what it has open; never blocks.
  ~basic_raw_socket() = default;
};

} // namespace asio
} // namespace boost

#endif // INTERLOCK_BASIC_RAW_SOCKET_HPP
