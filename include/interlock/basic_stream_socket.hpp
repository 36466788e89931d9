// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Asio's basic_stream_socket, specialised for a closable protocol: reads and writes, synchronous
// and asynchronous.

#ifndef INTERLOCK_BASIC_STREAM_SOCKET_HPP
#define INTERLOCK_BASIC_STREAM_SOCKET_HPP

#include <cstddef>
#include <type_traits>
#include <utility>

#include <boost/asio/basic_stream_socket.hpp>

#include <interlock/basic_socket.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/members/flagged_transfers.hpp>
#include <interlock/detail/members/socket_calls.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

template <class Protocol, class Executor>
struct can_deliver<boost::asio::basic_stream_socket<Protocol, Executor>> : std::true_type
{
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

namespace boost {
namespace asio {

/// A stream socket that any thread may close at any moment while other threads use it.
/**
 * The members are those of Asio's basic_stream_socket. A composed operation does not continue over
 * another connection: if another thread closes the socket and opens it again, a read or write started from
 * a handler of the former connection completes with boost::asio::error::operation_aborted.
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Safe, except for construction, move and destruction.
 *
 * @example_of{example/objects.cpp,objects_stream_socket}
 */
template <class Protocol, class Executor>
class basic_stream_socket<interlock::closable<Protocol>, Executor>
  : public interlock::detail::bases::flagged_transfers<Protocol, Executor>
{
private:
  using interlock_base = interlock::detail::bases::flagged_transfers<Protocol, Executor>;

public:
  /// Rebinds the socket type to another executor.
  template <class Executor1>
  struct rebind_executor
  {
    /// The socket type when rebound to the specified executor.
    using other = basic_stream_socket<interlock::closable<Protocol>, Executor1>;
  };

  /// Construct a socket: see basic_socket.
  using interlock_base::interlock_base;

  /// Move-construct a socket. The moved-from object is as if newly constructed with its executor.
  basic_stream_socket(basic_stream_socket&& other) noexcept = default;

  /// Move-assign a socket. Closes what this object has open, as its destructor does.
  basic_stream_socket& operator=(basic_stream_socket&& other) noexcept = default;

  /// Move-construct a socket from one of another protocol or executor type; may throw error::in_use.
  template <class Protocol1, class Executor1,
    interlock::detail::if_convertible_socket<Protocol1, Executor1, Protocol, Executor> = 0>
  basic_stream_socket(basic_stream_socket<interlock::closable<Protocol1>, Executor1>&& other)
    : interlock_base(std::move(other))
  {
  }

  /// Move-assign a socket from one of another protocol or executor type.
  template <class Protocol1, class Executor1,
    interlock::detail::if_convertible_socket<Protocol1, Executor1, Protocol, Executor> = 0>
  basic_stream_socket& operator=(
    basic_stream_socket<interlock::closable<Protocol1>, Executor1>&& other)
  {
    return *this = basic_stream_socket(std::move(other));
  }

  /// Destroy the socket. Closes what it has open; never blocks.
  ~basic_stream_socket() = default;

  /// Write some data to the socket. Blocks until some is written, an error occurs, or the socket is
  /// closed.
  /**
   * @asio
   * @waiting_errors{sendmsg(2)}
   */
  template <class ConstBufferSequence>
  std::size_t write_some(const ConstBufferSequence& buffers)
  {
    return interlock::detail::functions::or_throw(
      "write_some", [&](boost::system::error_code& ec) { return write_some(buffers, ec); });
  }

  /// Write some data to the socket. Blocks until some is written, an error occurs, or the socket is
  /// closed.
  template <class ConstBufferSequence>
  std::size_t write_some(const ConstBufferSequence& buffers, boost::system::error_code& ec)
  {
    return interlock::detail::functions::send(this->interlock_core_, buffers, 0, ec);
  }

  /// Start an asynchronous write.
  /**
   * @asio
   * @async_errors{sendmsg(2)}
   */
  template <class ConstBufferSequence,
    INTERLOCK_TOKEN_FOR(void(boost::system::error_code, std::size_t))
      WriteToken = interlock::detail::default_token<Executor>>
  auto async_write_some(const ConstBufferSequence& buffers,
    WriteToken&& token = interlock::detail::default_token<Executor>())
    -> interlock::detail::send_result<interlock::detail::socket_core<Protocol, Executor>,
      WriteToken, ConstBufferSequence>
  {
    return this->async_send(
      buffers, socket_base::message_flags(0), std::forward<WriteToken>(token));
  }

  /// Read some data from the socket. Blocks until some is read, an error occurs, or the socket is
  /// closed.
  /**
   * @asio
   * @waiting_errors{recvmsg(2), and boost::asio::error::eof}
   */
  template <class MutableBufferSequence>
  std::size_t read_some(const MutableBufferSequence& buffers)
  {
    return interlock::detail::functions::or_throw(
      "read_some", [&](boost::system::error_code& ec) { return read_some(buffers, ec); });
  }

  /// Read some data from the socket. Blocks until some is read, an error occurs, or the socket is
  /// closed.
  template <class MutableBufferSequence>
  std::size_t read_some(const MutableBufferSequence& buffers, boost::system::error_code& ec)
  {
    return interlock::detail::functions::receive(this->interlock_core_, buffers, 0, ec);
  }

  /// Start an asynchronous read.
  /**
   * @asio
   * @async_errors{recvmsg(2), and boost::asio::error::eof}
   */
  template <class MutableBufferSequence,
    INTERLOCK_TOKEN_FOR(void(boost::system::error_code, std::size_t))
      ReadToken = interlock::detail::default_token<Executor>>
  auto async_read_some(const MutableBufferSequence& buffers,
    ReadToken&& token = interlock::detail::default_token<Executor>())
    -> interlock::detail::receive_result<interlock::detail::socket_core<Protocol, Executor>,
      ReadToken, MutableBufferSequence>
  {
    return this->async_receive(
      buffers, socket_base::message_flags(0), std::forward<ReadToken>(token));
  }
};

} // namespace asio
} // namespace boost

#endif // INTERLOCK_BASIC_STREAM_SOCKET_HPP
