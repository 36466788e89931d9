// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The members that datagram and raw sockets share: sends to an endpoint, receives with the sender's endpoint.

#ifndef INTERLOCK_DETAIL_MEMBERS_ADDRESSED_TRANSFERS_HPP
#define INTERLOCK_DETAIL_MEMBERS_ADDRESSED_TRANSFERS_HPP

#include <cstddef>
#include <type_traits>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/socket_base.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/initiation.hpp>
#include <interlock/detail/members/flagged_transfers.hpp>
#include <interlock/detail/members/socket_calls.hpp>
#include <interlock/detail/members/socket_template.hpp>
#include <interlock/detail/members/transfer.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// @cond
// A bound socket of these kinds may occupy its local address, so `close()` waits, for 100 ms at most.
template <class Protocol, class Executor>
struct frees_address<boost::asio::basic_datagram_socket<Protocol, Executor>> : std::true_type
{
};

template <class Protocol, class Executor>
struct frees_address<boost::asio::basic_raw_socket<Protocol, Executor>> : std::true_type
{
};
/// @endcond

namespace bases {

/// The members of datagram and raw sockets that send to an endpoint and receive from one.
template <class Protocol, class Executor>
class addressed_transfers : public flagged_transfers<Protocol, Executor>
{
private:
  using interlock_base = flagged_transfers<Protocol, Executor>;

  static_assert(socket_template<asio_socket<Protocol, Executor>>::has_send_to,
    "The protocol's own socket is neither a datagram nor a raw socket");

protected:
  /// @cond
  addressed_transfers(addressed_transfers&&) noexcept = default;
  addressed_transfers& operator=(addressed_transfers&&) noexcept = default;
  ~addressed_transfers() = default;
  /// @endcond

public:
  using typename interlock_base::endpoint_type;

  using interlock_base::interlock_base;

  /// Send a datagram to the specified endpoint.
  /**
   * @asio
   * @waiting_errors{sendmsg(2)}
   */
  template <class ConstBufferSequence>
  std::size_t send_to(const ConstBufferSequence& buffers, const endpoint_type& destination)
  {
    return send_to(buffers, destination, 0);
  }

  /// Send a datagram to the specified endpoint.
  template <class ConstBufferSequence>
  std::size_t send_to(
    const ConstBufferSequence& buffers, const endpoint_type& destination, message_flags flags)
  {
    return functions::or_throw(
      "send_to", [&](error_code& ec) { return send_to(buffers, destination, flags, ec); });
  }

  /// Send a datagram to the specified endpoint. Blocks until the datagram is sent, an error occurs, or the
  /// socket is closed.
  template <class ConstBufferSequence>
  std::size_t send_to(const ConstBufferSequence& buffers, const endpoint_type& destination,
    message_flags flags, error_code& ec)
  {
    return functions::send_to(this->interlock_core_, buffers, destination, flags, ec);
  }

  /// Start an asynchronous send of a datagram to the specified endpoint.
  /**
   * @asio
   * @async_errors{sendmsg(2)}
   */
  template <class ConstBufferSequence,
    INTERLOCK_TOKEN_FOR(void(error_code, std::size_t)) WriteToken = default_token<Executor>>
  auto async_send_to(const ConstBufferSequence& buffers, const endpoint_type& destination,
    WriteToken&& token = default_token<Executor>())
    -> send_to_result<socket_core<Protocol, Executor>, WriteToken, ConstBufferSequence,
      endpoint_type>
  {
    return async_send_to(buffers, destination, message_flags(0), std::forward<WriteToken>(token));
  }

  /// Start an asynchronous send of a datagram to the specified endpoint.
  template <class ConstBufferSequence,
    INTERLOCK_TOKEN_FOR(void(error_code, std::size_t)) WriteToken = default_token<Executor>>
  auto async_send_to(const ConstBufferSequence& buffers, const endpoint_type& destination,
    message_flags flags, WriteToken&& token = default_token<Executor>())
    -> send_to_result<socket_core<Protocol, Executor>, WriteToken, ConstBufferSequence,
      endpoint_type>
  {
    return boost::asio::async_initiate<WriteToken, void(error_code, std::size_t)>(
      initiate_send_to<socket_core<Protocol, Executor>, endpoint_type>(&this->interlock_core_),
      token, buffers, destination, flags);
  }

  /// Receive a datagram with the endpoint of its sender.
  /**
   * @asio
   * @waiting_errors{recvmsg(2)}
   */
  template <class MutableBufferSequence>
  std::size_t receive_from(const MutableBufferSequence& buffers, endpoint_type& sender)
  {
    return receive_from(buffers, sender, 0);
  }

  /// Receive a datagram with the endpoint of its sender.
  template <class MutableBufferSequence>
  std::size_t receive_from(
    const MutableBufferSequence& buffers, endpoint_type& sender, message_flags flags)
  {
    return functions::or_throw(
      "receive_from", [&](error_code& ec) { return receive_from(buffers, sender, flags, ec); });
  }

  /// Receive a datagram with the endpoint of its sender. Blocks until one arrives, an error occurs, or the
  /// socket is closed.
  template <class MutableBufferSequence>
  std::size_t receive_from(const MutableBufferSequence& buffers, endpoint_type& sender,
    message_flags flags, error_code& ec)
  {
    return functions::receive_from(this->interlock_core_, buffers, sender, flags, ec);
  }

  /// Start an asynchronous receive of a datagram. @c sender receives the endpoint of its sender, and must
  /// live until the handler is called.
  /**
   * @asio
   * @async_errors{recvmsg(2)}
   */
  template <class MutableBufferSequence,
    INTERLOCK_TOKEN_FOR(void(error_code, std::size_t)) ReadToken = default_token<Executor>>
  auto async_receive_from(const MutableBufferSequence& buffers, endpoint_type& sender,
    ReadToken&& token = default_token<Executor>())
    -> receive_from_result<socket_core<Protocol, Executor>, ReadToken, MutableBufferSequence,
      endpoint_type>
  {
    return async_receive_from(buffers, sender, message_flags(0), std::forward<ReadToken>(token));
  }

  /// Start an asynchronous receive of a datagram. @c sender receives the endpoint of its sender, and must
  /// live until the handler is called.
  template <class MutableBufferSequence,
    INTERLOCK_TOKEN_FOR(void(error_code, std::size_t)) ReadToken = default_token<Executor>>
  auto async_receive_from(const MutableBufferSequence& buffers, endpoint_type& sender,
    message_flags flags, ReadToken&& token = default_token<Executor>())
    -> receive_from_result<socket_core<Protocol, Executor>, ReadToken, MutableBufferSequence,
      endpoint_type>
  {
    return boost::asio::async_initiate<ReadToken, void(error_code, std::size_t)>(
      initiate_receive_from<socket_core<Protocol, Executor>, endpoint_type>(&this->interlock_core_),
      token, buffers, &sender, flags);
  }
};

} // namespace bases
} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_MEMBERS_ADDRESSED_TRANSFERS_HPP
