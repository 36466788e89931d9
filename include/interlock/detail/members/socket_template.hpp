// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Finds the Asio template of a protocol's socket: the closable socket is a specialisation of the same one.

#ifndef INTERLOCK_DETAIL_MEMBERS_SOCKET_TEMPLATE_HPP
#define INTERLOCK_DETAIL_MEMBERS_SOCKET_TEMPLATE_HPP

#include <type_traits>

#include <boost/asio/basic_datagram_socket.hpp>
#include <boost/asio/basic_raw_socket.hpp>
#include <boost/asio/basic_seq_packet_socket.hpp>
#include <boost/asio/basic_stream_socket.hpp>

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// Which transfers a socket has, and its template with another protocol.
template <template <class, class> class Template, class Executor, bool Addresses, bool Messages>
struct known_socket
{
  static constexpr bool is_known = true;
  static constexpr bool has_send_to = Addresses;
  static constexpr bool has_out_flags = Messages;

  template <class Protocol>
  using with_protocol = Template<Protocol, Executor>;
};

template <class Socket>
struct socket_template
{
  static constexpr bool is_known = false;
  static constexpr bool has_send_to = false;
  static constexpr bool has_out_flags = false;

  template <class>
  using with_protocol = Socket;
};

template <class Protocol, class Executor>
struct socket_template<boost::asio::basic_stream_socket<Protocol, Executor>>
  : known_socket<boost::asio::basic_stream_socket, Executor, false, false>
{
};

template <class Protocol, class Executor>
struct socket_template<boost::asio::basic_datagram_socket<Protocol, Executor>>
  : known_socket<boost::asio::basic_datagram_socket, Executor, true, false>
{
};

template <class Protocol, class Executor>
struct socket_template<boost::asio::basic_raw_socket<Protocol, Executor>>
  : known_socket<boost::asio::basic_raw_socket, Executor, true, false>
{
};

template <class Protocol, class Executor>
struct socket_template<boost::asio::basic_seq_packet_socket<Protocol, Executor>>
  : known_socket<boost::asio::basic_seq_packet_socket, Executor, false, true>
{
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_MEMBERS_SOCKET_TEMPLATE_HPP
