// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The members that stream, datagram and raw sockets share: sends and receives over a connection, with input
// flags only.

#ifndef INTERLOCK_DETAIL_MEMBERS_FLAGGED_TRANSFERS_HPP
#define INTERLOCK_DETAIL_MEMBERS_FLAGGED_TRANSFERS_HPP

#include <cstddef>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/socket_base.hpp>

#include <interlock/basic_socket.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/core/initiation.hpp>
#include <interlock/detail/members/socket_calls.hpp>
#include <interlock/detail/members/transfer.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {
namespace bases {

/// The members of stream, datagram and raw sockets that send and receive.
template <class Protocol, class Executor>
class flagged_transfers : public boost::asio::basic_socket<closable<Protocol>, Executor>
{
private:
  using interlock_base = boost::asio::basic_socket<closable<Protocol>, Executor>;

protected:
  /// @cond
  flagged_transfers(flagged_transfers&&) noexcept = default;
  flagged_transfers& operator=(flagged_transfers&&) noexcept = default;
  ~flagged_transfers() = default;
  /// @endcond

public:
  using interlock_base::interlock_base;

  /// Send some data on the socket.
  /**
   * @asio
   * @waiting_errors{sendmsg(2)}
   */
  template <class ConstBufferSequence>
  std::size_t send(const ConstBufferSequence& buffers)
  {
    return send(buffers, 0);
  }

  /// Send some data on the socket.
  template <class ConstBufferSequence>
  std::size_t send(const ConstBufferSequence& buffers, message_flags flags)
  {
    return functions::or_throw("send", [&](error_code& ec) { return send(buffers, flags, ec); });
  }

  /// Send some data on the socket.
  template <class ConstBufferSequence>
  std::size_t send(const ConstBufferSequence& buffers, message_flags flags, error_code& ec)
  {
    return functions::send(this->interlock_core_, buffers, flags, ec);
  }

  /// Start an asynchronous send.
  /**
   * @asio
   * @async_errors{sendmsg(2)}
   */
  template <class ConstBufferSequence,
    INTERLOCK_TOKEN_FOR(void(error_code, std::size_t)) WriteToken = default_token<Executor>>
  auto async_send(
    const ConstBufferSequence& buffers, WriteToken&& token = default_token<Executor>())
    -> send_result<socket_core<Protocol, Executor>, WriteToken, ConstBufferSequence>
  {
    return async_send(buffers, message_flags(0), std::forward<WriteToken>(token));
  }

  /// Start an asynchronous send.
  template <class ConstBufferSequence,
    INTERLOCK_TOKEN_FOR(void(error_code, std::size_t)) WriteToken = default_token<Executor>>
  auto async_send(const ConstBufferSequence& buffers, message_flags flags,
    WriteToken&& token = default_token<Executor>())
    -> send_result<socket_core<Protocol, Executor>, WriteToken, ConstBufferSequence>
  {
    return boost::asio::async_initiate<WriteToken, void(error_code, std::size_t)>(
      initiate_send<socket_core<Protocol, Executor>>(&this->interlock_core_), token, buffers,
      flags);
  }

  /// Receive some data on the socket.
  /**
   * @asio
   * @waiting_errors{recvmsg(2), and boost::asio::error::eof on a stream}
   */
  template <class MutableBufferSequence>
  std::size_t receive(const MutableBufferSequence& buffers)
  {
    return receive(buffers, 0);
  }

  /// Receive some data on the socket.
  template <class MutableBufferSequence>
  std::size_t receive(const MutableBufferSequence& buffers, message_flags flags)
  {
    return functions::or_throw(
      "receive", [&](error_code& ec) { return receive(buffers, flags, ec); });
  }

  /// Receive some data on the socket.
  template <class MutableBufferSequence>
  std::size_t receive(const MutableBufferSequence& buffers, message_flags flags, error_code& ec)
  {
    return functions::receive(this->interlock_core_, buffers, flags, ec);
  }

  /// Start an asynchronous receive.
  /**
   * @asio
   * @async_errors{recvmsg(2), and boost::asio::error::eof on a stream}
   */
  template <class MutableBufferSequence,
    INTERLOCK_TOKEN_FOR(void(error_code, std::size_t)) ReadToken = default_token<Executor>>
  auto async_receive(
    const MutableBufferSequence& buffers, ReadToken&& token = default_token<Executor>())
    -> receive_result<socket_core<Protocol, Executor>, ReadToken, MutableBufferSequence>
  {
    return async_receive(buffers, message_flags(0), std::forward<ReadToken>(token));
  }

  /// Start an asynchronous receive.
  template <class MutableBufferSequence,
    INTERLOCK_TOKEN_FOR(void(error_code, std::size_t)) ReadToken = default_token<Executor>>
  auto async_receive(const MutableBufferSequence& buffers, message_flags flags,
    ReadToken&& token = default_token<Executor>())
    -> receive_result<socket_core<Protocol, Executor>, ReadToken, MutableBufferSequence>
  {
    return boost::asio::async_initiate<ReadToken, void(error_code, std::size_t)>(
      initiate_receive<socket_core<Protocol, Executor>>(&this->interlock_core_), token, buffers,
      flags);
  }
};

} // namespace bases
} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_MEMBERS_FLAGGED_TRANSFERS_HPP
