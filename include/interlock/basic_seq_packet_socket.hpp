// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Asio's basic_seq_packet_socket, specialised for a closable protocol: records over a connection. Output
// flags describe each received record.

#ifndef INTERLOCK_BASIC_SEQ_PACKET_SOCKET_HPP
#define INTERLOCK_BASIC_SEQ_PACKET_SOCKET_HPP

#include <cstddef>
#include <type_traits>
#include <utility>

#include <boost/asio/basic_seq_packet_socket.hpp>

#include <interlock/basic_socket.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/core/initiation.hpp>
#include <interlock/detail/members/socket_calls.hpp>
#include <interlock/detail/members/socket_template.hpp>
#include <interlock/detail/members/transfer.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

template <class Protocol, class Executor>
struct may_linger<boost::asio::basic_seq_packet_socket<Protocol, Executor>> : std::true_type
{
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

namespace boost {
namespace asio {

/// A sequenced packet socket that any thread may close at any moment while other threads use
/// it.
/**
 * The members are those of Asio's basic_seq_packet_socket. As in Asio, the end of the connection is
 * received as an empty record, not as an error.
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Safe, except for construction, move and destruction.
 *
 * @example_of{example/objects.cpp,objects_seq_packet_socket}
 */
template <class Protocol, class Executor>
class basic_seq_packet_socket<interlock::closable<Protocol>, Executor>
  : public basic_socket<interlock::closable<Protocol>, Executor>
{
private:
  using interlock_base = basic_socket<interlock::closable<Protocol>, Executor>;

  static_assert(interlock::detail::socket_template<
                  interlock::detail::asio_socket<Protocol, Executor>>::has_out_flags,
    "The protocol's own socket is not a sequenced packet socket");

public:
  /// Rebinds the socket type to another executor.
  template <class Executor1>
  struct rebind_executor
  {
    /// The socket type when rebound to the specified executor.
    using other = basic_seq_packet_socket<interlock::closable<Protocol>, Executor1>;
  };

  /// Construct a socket: see basic_socket.
  using interlock_base::interlock_base;

  /// Move-construct a socket. The moved-from object is as if newly constructed with its executor.
  basic_seq_packet_socket(basic_seq_packet_socket&& other) noexcept = default;

  /// Move-assign a socket. Closes what this object has open, as its destructor does.
  basic_seq_packet_socket& operator=(basic_seq_packet_socket&& other) noexcept = default;

  /// Move-construct a socket from one of another protocol or executor type; may throw error::in_use.
  template <class Protocol1, class Executor1,
    interlock::detail::if_convertible_socket<Protocol1, Executor1, Protocol, Executor> = 0>
  basic_seq_packet_socket(
    basic_seq_packet_socket<interlock::closable<Protocol1>, Executor1>&& other)
    : interlock_base(std::move(other))
  {
  }

  /// Move-assign a socket from one of another protocol or executor type.
  template <class Protocol1, class Executor1,
    interlock::detail::if_convertible_socket<Protocol1, Executor1, Protocol, Executor> = 0>
  basic_seq_packet_socket& operator=(
    basic_seq_packet_socket<interlock::closable<Protocol1>, Executor1>&& other)
  {
    return *this = basic_seq_packet_socket(std::move(other));
  }

  /// Destroy the socket. Closes what it has open; never blocks.
  ~basic_seq_packet_socket() = default;

  /// Send a record.
  /**
   * @asio
   * @waiting_errors{sendmsg(2)}
   */
  template <class ConstBufferSequence>
  std::size_t send(const ConstBufferSequence& buffers, socket_base::message_flags flags)
  {
    return interlock::detail::functions::or_throw(
      "send", [&](boost::system::error_code& ec) { return send(buffers, flags, ec); });
  }

  /// Send a record. Blocks until there is room for it, an error occurs, or the socket is closed.
  template <class ConstBufferSequence>
  std::size_t send(const ConstBufferSequence& buffers, socket_base::message_flags flags,
    boost::system::error_code& ec)
  {
    return interlock::detail::functions::send(this->interlock_core_, buffers, flags, ec);
  }

  /// Start an asynchronous send of a record.
  /**
   * @asio
   * @async_errors{sendmsg(2)}
   */
  template <class ConstBufferSequence,
    INTERLOCK_TOKEN_FOR(void(boost::system::error_code, std::size_t))
      WriteToken = interlock::detail::default_token<Executor>>
  auto async_send(const ConstBufferSequence& buffers, socket_base::message_flags flags,
    WriteToken&& token = interlock::detail::default_token<Executor>())
    -> interlock::detail::send_result<interlock::detail::socket_core<Protocol, Executor>,
      WriteToken, ConstBufferSequence>
  {
    return boost::asio::async_initiate<WriteToken, void(boost::system::error_code, std::size_t)>(
      interlock::detail::initiate_send<interlock::detail::socket_core<Protocol, Executor>>(
        &this->interlock_core_),
      token, buffers, flags);
  }

  /// Receive a record. @c out_flags tells whether it is complete.
  /**
   * @asio
   * @waiting_errors{recvmsg(2)}
   */
  template <class MutableBufferSequence>
  std::size_t receive(const MutableBufferSequence& buffers, socket_base::message_flags& out_flags)
  {
    return receive(buffers, 0, out_flags);
  }

  /// Receive a record. @c out_flags tells whether it is complete.
  template <class MutableBufferSequence>
  std::size_t receive(const MutableBufferSequence& buffers, socket_base::message_flags in_flags,
    socket_base::message_flags& out_flags)
  {
    return interlock::detail::functions::or_throw("receive",
      [&](boost::system::error_code& ec) { return receive(buffers, in_flags, out_flags, ec); });
  }

  /// Receive a record. Blocks until one arrives, an error occurs, or the socket is closed.
  /**
   * @param buffers Receive the record. Bytes that do not fit are lost.
   * @param in_flags How to receive.
   * @param out_flags Receives @c message_end_of_record for a complete record, the system's MSG_TRUNC for
   * one that did not fit, zero on failure.
   * @param ec Receives the error, if any.
   * @returns The number of bytes received.
   */
  template <class MutableBufferSequence>
  std::size_t receive(const MutableBufferSequence& buffers, socket_base::message_flags in_flags,
    socket_base::message_flags& out_flags, boost::system::error_code& ec)
  {
    return interlock::detail::functions::receive_message(
      this->interlock_core_, buffers, in_flags, out_flags, ec);
  }

  /// Start an asynchronous receive of a record. @c out_flags must live until the handler is called.
  /**
   * @asio
   * @async_errors{recvmsg(2)}
   */
  template <class MutableBufferSequence,
    INTERLOCK_TOKEN_FOR(void(boost::system::error_code, std::size_t))
      ReadToken = interlock::detail::default_token<Executor>>
  auto async_receive(const MutableBufferSequence& buffers, socket_base::message_flags& out_flags,
    ReadToken&& token = interlock::detail::default_token<Executor>())
    -> interlock::detail::receive_message_result<interlock::detail::socket_core<Protocol, Executor>,
      ReadToken, MutableBufferSequence, socket_base::message_flags>
  {
    return boost::asio::async_initiate<ReadToken, void(boost::system::error_code, std::size_t)>(
      interlock::detail::initiate_receive_message<
        interlock::detail::socket_core<Protocol, Executor>>(&this->interlock_core_),
      token, buffers, socket_base::message_flags(0), &out_flags);
  }

  /// Start an asynchronous receive of a record. @c out_flags must live until the handler is called.
  template <class MutableBufferSequence,
    INTERLOCK_TOKEN_FOR(void(boost::system::error_code, std::size_t))
      ReadToken = interlock::detail::default_token<Executor>>
  auto async_receive(const MutableBufferSequence& buffers, socket_base::message_flags in_flags,
    socket_base::message_flags& out_flags,
    ReadToken&& token = interlock::detail::default_token<Executor>())
    -> interlock::detail::receive_message_result<interlock::detail::socket_core<Protocol, Executor>,
      ReadToken, MutableBufferSequence, socket_base::message_flags&>
  {
    return boost::asio::async_initiate<ReadToken, void(boost::system::error_code, std::size_t)>(
      interlock::detail::initiate_receive_message<
        interlock::detail::socket_core<Protocol, Executor>>(&this->interlock_core_),
      token, buffers, in_flags, &out_flags);
  }
};

} // namespace asio
} // namespace boost

#endif // INTERLOCK_BASIC_SEQ_PACKET_SOCKET_HPP
