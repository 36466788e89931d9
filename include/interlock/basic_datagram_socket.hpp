// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Asio's basic_datagram_socket, specialised for a closable protocol: messages, over a connection or with
// an address each.

#ifndef INTERLOCK_BASIC_DATAGRAM_SOCKET_HPP
#define INTERLOCK_BASIC_DATAGRAM_SOCKET_HPP

#include <type_traits>
#include <utility>

#include <boost/asio/basic_datagram_socket.hpp>

#include <interlock/basic_socket.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/members/addressed_transfers.hpp>

namespace interlock
{
inline namespace abi_0
{
namespace detail
{

template <class Protocol, class Executor>
struct frees_address<boost::asio::basic_datagram_socket<Protocol, Executor>> : std::true_type
{
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

namespace boost
{
namespace asio
{

/// A datagram socket that may be closed from any thread, at any moment, while other threads use it.
/**
 * The members are those of Asio's basic_datagram_socket. @c close waits for close(2), which follows
 * at once on its own thread: the address is free when it returns.
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Safe, but for construction, move and destruction.
 */
template <class Protocol, class Executor>
class basic_datagram_socket<interlock::closable<Protocol>, Executor>
  : public interlock::detail::addressed_transfers<Protocol, Executor>
{
private:
  using base = interlock::detail::addressed_transfers<Protocol, Executor>;

public:
  /// The type of the executor associated with the object.
  using executor_type = Executor;

  /// Rebinds the socket type to another executor.
  template <class Executor1>
  struct rebind_executor
  {
    /// The socket type when rebound to the specified executor.
    using other = basic_datagram_socket<interlock::closable<Protocol>, Executor1>;
  };

  using typename base::endpoint_type;
  using typename base::native_handle_type;
  using typename base::protocol_type;

  /// Construct a socket: see basic_socket.
  using base::base;

  /// Move-construct a socket. The moved-from object is as one constructed with its executor.
  basic_datagram_socket(basic_datagram_socket&& other) noexcept = default;

  /// Move-assign a socket. What this object has open is closed as by its destructor.
  basic_datagram_socket& operator=(basic_datagram_socket&& other) noexcept = default;

  /// Move-construct a socket from one of another protocol or executor type.
  template <class Protocol1, class Executor1,
    typename base::template if_convertible<Protocol1, Executor1> = 0>
  basic_datagram_socket(basic_datagram_socket<interlock::closable<Protocol1>, Executor1>&& other)
    : base(std::move(other))
  {
  }

  /// Move-assign a socket from one of another protocol or executor type.
  template <class Protocol1, class Executor1,
    typename base::template if_convertible<Protocol1, Executor1> = 0>
  basic_datagram_socket& operator=(
    basic_datagram_socket<interlock::closable<Protocol1>, Executor1>&& other)
  {
    return *this = basic_datagram_socket(std::move(other));
  }

  /// Closes what the socket has open, without waiting for close(2): never blocks.
  ~basic_datagram_socket() = default;
};

} // namespace asio
} // namespace boost

#endif // INTERLOCK_BASIC_DATAGRAM_SOCKET_HPP
