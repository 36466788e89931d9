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
#include <interlock/detail/face/access.hpp>
#include <interlock/detail/face/socket_calls.hpp>
#include <interlock/detail/face/transfer.hpp>

namespace boost
{
namespace asio
{

/// A stream socket that may be closed from any thread, at any moment, while other threads use it.
/**
 * The members are those of Asio's basic_stream_socket. A read or write that is started from a
 * handler of this object, after the object was closed and opened again by somebody else in the
 * meantime, completes with operation_aborted: a composed operation does not go on over another
 * connection.
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Safe, but for construction, move and destruction.
 */
template <class Protocol, class Executor>
class basic_stream_socket<interlock::closable<Protocol>, Executor>
  : public basic_socket<interlock::closable<Protocol>, Executor>
{
private:
  using base = basic_socket<interlock::closable<Protocol>, Executor>;
  using typename base::core_type;
  using typename base::default_token;
  using typename base::error_code;
  using initiate_async_send = interlock::detail::initiate_send<core_type>;
  using initiate_async_receive = interlock::detail::initiate_receive<core_type>;
  template <class Initiation, class Token, class Buffers>
  using transfer_result = interlock::detail::initiation_result<Token, void(error_code, std::size_t),
    Initiation, const Buffers&, socket_base::message_flags&>;

public:
  /// The type of the executor associated with the object.
  using executor_type = Executor;

  /// Rebinds the socket type to another executor.
  template <class Executor1>
  struct rebind_executor
  {
    /// The socket type when rebound to the specified executor.
    using other = basic_stream_socket<interlock::closable<Protocol>, Executor1>;
  };

  using typename base::endpoint_type;
  using typename base::native_handle_type;
  using typename base::protocol_type;

  /// Construct a socket: see basic_socket.
  using base::base;

  /// Move-construct a socket. The moved-from object is as one constructed with its executor.
  basic_stream_socket(basic_stream_socket&& other) noexcept = default;

  /// Move-assign a socket. What this object has open is closed as by its destructor.
  basic_stream_socket& operator=(basic_stream_socket&& other) noexcept = default;

  /// Move-construct a socket from one of another protocol or executor type.
  template <class Protocol1, class Executor1,
    typename base::template if_convertible<Protocol1, Executor1> = 0>
  basic_stream_socket(basic_stream_socket<interlock::closable<Protocol1>, Executor1>&& other)
    : base(std::move(other))
  {
  }

  /// Move-assign a socket from one of another protocol or executor type.
  template <class Protocol1, class Executor1,
    typename base::template if_convertible<Protocol1, Executor1> = 0>
  basic_stream_socket& operator=(
    basic_stream_socket<interlock::closable<Protocol1>, Executor1>&& other)
  {
    return *this = basic_stream_socket(std::move(other));
  }

  /// Take over what Asio's own socket has open.
  /** Operations outstanding on it go on, but are not known to this object: a close aborts them
   * without waiting for them. */
  explicit basic_stream_socket(typename base::asio_type&& other)
    : base(other.get_executor())
  {
    interlock::detail::or_throw(
      "move", [&](error_code& ec) { this->take_asio(std::move(other), ec); });
  }

  /// Give what this socket has open to Asio's own socket.
  /**
   * A named function, since Asio's own converting constructor would take this for an object of its
   * own.
   *
   * @throws boost::system::system_error interlock::error::in_use while a call on it is under way,
   * bad_descriptor if closed.
   */
  typename base::asio_type to_asio()
  {
    return this->core_.give_away();
  }

  /// Closes what the socket has open: never blocks, see close().
  ~basic_stream_socket() = default;

  /// Send some data on the socket.
  template <class ConstBufferSequence>
  std::size_t send(const ConstBufferSequence& buffers)
  {
    return send(buffers, 0);
  }

  /// Send some data on the socket.
  template <class ConstBufferSequence>
  std::size_t send(const ConstBufferSequence& buffers, socket_base::message_flags flags)
  {
    return interlock::detail::or_throw(
      "send", [&](error_code& ec) { return send(buffers, flags, ec); });
  }

  /// Send some data on the socket.
  template <class ConstBufferSequence>
  std::size_t send(
    const ConstBufferSequence& buffers, socket_base::message_flags flags, error_code& ec)
  {
    return interlock::detail::send(this->core_, buffers, flags, ec);
  }

  /// Start an asynchronous send.
  template <class ConstBufferSequence, class WriteToken = default_token>
  auto async_send(const ConstBufferSequence& buffers, WriteToken&& token = default_token())
    -> transfer_result<initiate_async_send, WriteToken, ConstBufferSequence>
  {
    return async_send(buffers, socket_base::message_flags(0), std::forward<WriteToken>(token));
  }

  /// Start an asynchronous send.
  template <class ConstBufferSequence, class WriteToken = default_token>
  auto async_send(const ConstBufferSequence& buffers, socket_base::message_flags flags,
    WriteToken&& token = default_token())
    -> transfer_result<initiate_async_send, WriteToken, ConstBufferSequence>
  {
    return async_initiate<WriteToken, void(error_code, std::size_t)>(
      initiate_async_send(&this->core_), token, buffers, flags);
  }

  /// Receive some data on the socket.
  template <class MutableBufferSequence>
  std::size_t receive(const MutableBufferSequence& buffers)
  {
    return receive(buffers, 0);
  }

  /// Receive some data on the socket.
  template <class MutableBufferSequence>
  std::size_t receive(const MutableBufferSequence& buffers, socket_base::message_flags flags)
  {
    return interlock::detail::or_throw(
      "receive", [&](error_code& ec) { return receive(buffers, flags, ec); });
  }

  /// Receive some data on the socket.
  template <class MutableBufferSequence>
  std::size_t receive(
    const MutableBufferSequence& buffers, socket_base::message_flags flags, error_code& ec)
  {
    return interlock::detail::receive(this->core_, buffers, flags, ec);
  }

  /// Start an asynchronous receive.
  template <class MutableBufferSequence, class ReadToken = default_token>
  auto async_receive(const MutableBufferSequence& buffers, ReadToken&& token = default_token())
    -> transfer_result<initiate_async_receive, ReadToken, MutableBufferSequence>
  {
    return async_receive(buffers, socket_base::message_flags(0), std::forward<ReadToken>(token));
  }

  /// Start an asynchronous receive.
  template <class MutableBufferSequence, class ReadToken = default_token>
  auto async_receive(const MutableBufferSequence& buffers, socket_base::message_flags flags,
    ReadToken&& token = default_token())
    -> transfer_result<initiate_async_receive, ReadToken, MutableBufferSequence>
  {
    return async_initiate<ReadToken, void(error_code, std::size_t)>(
      initiate_async_receive(&this->core_), token, buffers, flags);
  }

  /// Write some data to the socket. Blocks until some is written, an error occurs, or the socket is
  /// closed.
  template <class ConstBufferSequence>
  std::size_t write_some(const ConstBufferSequence& buffers)
  {
    return interlock::detail::or_throw(
      "write_some", [&](error_code& ec) { return write_some(buffers, ec); });
  }

  /// Write some data to the socket. Blocks until some is written, an error occurs, or the socket is
  /// closed.
  template <class ConstBufferSequence>
  std::size_t write_some(const ConstBufferSequence& buffers, error_code& ec)
  {
    return interlock::detail::send(this->core_, buffers, 0, ec);
  }

  /// Start an asynchronous write.
  template <class ConstBufferSequence, class WriteToken = default_token>
  auto async_write_some(const ConstBufferSequence& buffers, WriteToken&& token = default_token())
    -> transfer_result<initiate_async_send, WriteToken, ConstBufferSequence>
  {
    return async_send(buffers, socket_base::message_flags(0), std::forward<WriteToken>(token));
  }

  /// Read some data from the socket. Blocks until some is read, an error occurs, or the socket is
  /// closed.
  template <class MutableBufferSequence>
  std::size_t read_some(const MutableBufferSequence& buffers)
  {
    return interlock::detail::or_throw(
      "read_some", [&](error_code& ec) { return read_some(buffers, ec); });
  }

  /// Read some data from the socket. Blocks until some is read, an error occurs, or the socket is
  /// closed.
  template <class MutableBufferSequence>
  std::size_t read_some(const MutableBufferSequence& buffers, error_code& ec)
  {
    return interlock::detail::receive(this->core_, buffers, 0, ec);
  }

  /// Start an asynchronous read.
  template <class MutableBufferSequence, class ReadToken = default_token>
  auto async_read_some(const MutableBufferSequence& buffers, ReadToken&& token = default_token())
    -> transfer_result<initiate_async_receive, ReadToken, MutableBufferSequence>
  {
    return async_receive(buffers, socket_base::message_flags(0), std::forward<ReadToken>(token));
  }
};

} // namespace asio
} // namespace boost

#endif // INTERLOCK_BASIC_STREAM_SOCKET_HPP
