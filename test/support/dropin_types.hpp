// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The types that stand in for Asio's, each with what one program over all of them has to know: its
// name, the type in both families, its protocol, and descriptors to put into it. Those are connected
// by system calls alone, and the far end stays a bare descriptor.

#ifndef INTERLOCK_TEST_SUPPORT_DROPIN_TYPES_HPP
#define INTERLOCK_TEST_SUPPORT_DROPIN_TYPES_HPP

#include <cstddef>
#include <cstring>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>
#include <termios.h>

#include <boost/asio/posix/descriptor.hpp>
#include <boost/asio/serial_port.hpp>
#include <boost/asio/version.hpp>

#include <interlock/closable.hpp>
#include <interlock/local/seq_packet_protocol.hpp>
#include <interlock/posix/descriptor.hpp>
#include <interlock/readable_pipe.hpp>
#include <interlock/serial_port.hpp>
#include <interlock/writable_pipe.hpp>

#if BOOST_ASIO_VERSION >= 102400
#include <boost/asio/readable_pipe.hpp>
#include <boost/asio/writable_pipe.hpp>
#endif

#include "support/descriptor_pairs.hpp"
#include "support/differential.hpp"
#include "support/packets.hpp"
#include "support/pty.hpp"

namespace support {

/// The types of a family that the programs of differential.hpp do not use.
template <class Family>
struct types_of
{
  using user = interlock::closable<packets>;
  using descriptor = interlock::posix::descriptor;
  using readable_pipe = interlock::readable_pipe;
  using writable_pipe = interlock::writable_pipe;
  using serial_port = interlock::serial_port;
#if defined(INTERLOCK_HAS_SEQ_PACKET_PROTOCOL)
  using local_seq_packet = interlock::local::seq_packet_protocol;
#else
  using local_seq_packet = user;
#endif
};

template <>
struct types_of<asio_family>
{
  using user = packets;
  using descriptor = boost::asio::posix::descriptor;
#if BOOST_ASIO_VERSION >= 102400
  using readable_pipe = boost::asio::readable_pipe;
  using writable_pipe = boost::asio::writable_pipe;
#else
  // Where Asio has no pipes ours are compared with themselves.
  using readable_pipe = interlock::readable_pipe;
  using writable_pipe = interlock::writable_pipe;
#endif
  using serial_port = boost::asio::serial_port;
#if defined(INTERLOCK_HAS_SEQ_PACKET_PROTOCOL)
  using local_seq_packet = boost::asio::local::seq_packet_protocol;
#else
  // What Asio has later is what a user may define before.
  using local_seq_packet = packets;
#endif
};

/// An object of a type that can only be a base.
template <class Base>
struct concrete : Base
{
  using Base::Base;

  template <class Executor>
  struct rebind_executor
  {
    using other = concrete<typename Base::template rebind_executor<Executor>::other>;
  };
};

// --- Descriptors.

/// Two sockets, each bound to `address` as completed by the system, and connected to the other.
template <class Address>
ends bound_ends(int type, int protocol, const Address& address, const Address& other,
  ::socklen_t size = sizeof(Address))
{
  const auto make = [&](const Address& where)
  {
    fd n(checked(::socket(where.family(), type | SOCK_CLOEXEC, protocol), "socket"));
    checked(::bind(n.get(), where.get(), size), "bind");
    return n;
  };
  ends made = {make(address), make(other)};
  const auto connect = [](const fd& from, const fd& to)
  {
    ::sockaddr_storage name = {};
    ::socklen_t length = sizeof(name);
    const auto generic = reinterpret_cast<::sockaddr*>(&name);
    checked(::getsockname(to.get(), generic, &length), "getsockname");
    checked(::connect(from.get(), generic, length), "connect");
  };
  connect(made.near, made.far);
  connect(made.far, made.near);
  return made;
}

/// An address of this machine; `last` is the last byte of 127.83.9.x.
struct own_ip
{
  ::sockaddr_in value = {};

  explicit own_ip(unsigned last)
  {
    value.sin_family = AF_INET;
    value.sin_addr.s_addr = htonl(0x7f530900u + last);
  }

  static int family()
  {
    return AF_INET;
  }

  const ::sockaddr* get() const
  {
    return reinterpret_cast<const ::sockaddr*>(&value);
  }
};

/// Of AF_UNIX. Bound with the family alone, a socket gets a name of the system's choice.
struct any_name
{
  ::sockaddr_un value = {};

  any_name()
  {
    value.sun_family = AF_UNIX;
  }

  static int family()
  {
    return AF_UNIX;
  }

  const ::sockaddr* get() const
  {
    return reinterpret_cast<const ::sockaddr*>(&value);
  }
};

inline ends udp_ends()
{
  return bound_ends(SOCK_DGRAM, 0, own_ip(1), own_ip(2));
}

inline ends raw_ends(int protocol)
{
  return bound_ends(SOCK_RAW, protocol, own_ip(3), own_ip(4));
}

inline ends local_datagram_ends()
{
  return bound_ends(SOCK_DGRAM, 0, any_name(), any_name(), sizeof(::sa_family_t));
}

inline ends packet_ends()
{
  int pair[2];
  checked(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), "socketpair");
  return {fd(pair[0]), fd(pair[1])};
}

/// The slave, on which every byte passes as it is, and the master.
inline ends terminal_ends()
{
  pty terminal;
  fd slave(checked(::open(terminal.name().c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC), "open"));
  ::termios attributes = {};
  checked(::tcgetattr(slave.get(), &attributes), "tcgetattr");
  ::cfmakeraw(&attributes);
  checked(::tcsetattr(slave.get(), TCSANOW, &attributes), "tcsetattr");
  return {std::move(slave), fd(::dup(terminal.master().get()))};
}

/// `near` listens.
inline ends local_listener(int type)
{
  fd listener(checked(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0), "socket"));
  const any_name any;
  checked(::bind(listener.get(), any.get(), sizeof(::sa_family_t)), "bind");
  checked(::listen(listener.get(), 64), "listen");
  return {std::move(listener), fd()};
}

/// A connection to `listener`, a descriptor, of whatever family and type that is.
inline fd client_of(int listener)
{
  int type = 0;
  ::socklen_t type_size = sizeof(type);
  checked(::getsockopt(listener, SOL_SOCKET, SO_TYPE, &type, &type_size), "getsockopt");
  ::sockaddr_storage name = {};
  ::socklen_t length = sizeof(name);
  const auto generic = reinterpret_cast<::sockaddr*>(&name);
  checked(::getsockname(listener, generic, &length), "getsockname");
  fd client(checked(::socket(name.ss_family, type | SOCK_CLOEXEC, 0), "socket"));
  checked(::connect(client.get(), generic, length), "connect");
  return client;
}

// --- Shapes: which members there are.

/// What a type has in common with others.
struct shape
{
  static constexpr bool is_socket = false;
  static constexpr bool is_acceptor = false;
  static constexpr bool has_blocking_state = false; // non_blocking, wait, io_control
  static constexpr bool reads = false;              // read_some
  static constexpr bool writes = false;             // write_some
  static constexpr bool has_flags = false;          // send and receive
  static constexpr bool has_addresses = false;      // send_to and receive_from
  static constexpr bool has_records = false;        // send and receive, with flags of the record
  static constexpr bool is_port = false;
  static constexpr bool is_stream = false; // has an end, and takes no empty messages
  // Of what a message has in front of it when it is received.
  static constexpr std::size_t header = 0;
};

struct base_socket_shape : shape
{
  static constexpr bool is_socket = true;
  static constexpr bool has_blocking_state = true;
  static constexpr bool is_stream = true;
};

struct stream_socket_shape : base_socket_shape
{
  static constexpr bool reads = true;
  static constexpr bool writes = true;
  static constexpr bool has_flags = true;
};

struct datagram_socket_shape : base_socket_shape
{
  static constexpr bool has_flags = true;
  static constexpr bool has_addresses = true;
  static constexpr bool is_stream = false;
};

struct raw_socket_shape : datagram_socket_shape
{
  static constexpr std::size_t header = 20;
};

struct packet_socket_shape : base_socket_shape
{
  static constexpr bool has_records = true;
};

struct acceptor_shape : shape
{
  static constexpr bool is_acceptor = true;
  static constexpr bool has_blocking_state = true;
};

struct descriptor_shape : shape
{
  static constexpr bool has_blocking_state = true;
  static constexpr bool is_stream = true;
};

struct stream_descriptor_shape : descriptor_shape
{
  static constexpr bool reads = true;
  static constexpr bool writes = true;
};

struct readable_shape : shape
{
  static constexpr bool reads = true;
  static constexpr bool is_stream = true;
};

struct writable_shape : shape
{
  static constexpr bool writes = true;
  static constexpr bool is_stream = true;
};

struct port_shape : shape
{
  static constexpr bool reads = true;
  static constexpr bool writes = true;
  static constexpr bool is_port = true;
  static constexpr bool is_stream = true;
};

// --- Types. `object` is what a program makes; `named` is what its members are looked for in.

/// `Base` is one of the shapes; `make()` is left to each type.
template <class Shape, class Own>
struct dropin_type : Shape
{
  // (The third parameter puts the look into Own off, until it is complete.)
  template <class Family, class Executor, class Type = Own>
  using object = typename Type::template named<Family>::template rebind_executor<Executor>::other;

  template <class Object>
  static void put(Object& object, fd& near, boost::system::error_code& ec)
  {
    if constexpr (Shape::is_socket || Shape::is_acceptor)
      object.assign(Own::protocol(), near.get(), ec);
    else
      object.assign(near.get(), ec);
    if (!ec)
      near.release();
  }

  template <class Object>
  static void put(Object& object, fd& near)
  {
    boost::system::error_code ec;
    put(object, near, ec);
    BOOST_TEST_REQUIRE(!ec);
  }
};

#define INTERLOCK_TEST_SOCKET(type, shape, socket_of, protocol_of, ends_of) \
  struct type : dropin_type<shape, type> \
  { \
    template <class Family> \
    using named = typename socket_of; \
    static auto protocol() \
    { \
      return protocol_of; \
    } \
    static ends make() \
    { \
      return ends_of; \
    } \
  };

INTERLOCK_TEST_SOCKET(
  tcp_socket, stream_socket_shape, Family::tcp::socket, boost::asio::ip::tcp::v4(), tcp_ends())
INTERLOCK_TEST_SOCKET(local_stream_socket, stream_socket_shape, Family::local::socket,
  boost::asio::local::stream_protocol(), unix_ends())
INTERLOCK_TEST_SOCKET(generic_stream_socket, stream_socket_shape, Family::generic::socket,
  boost::asio::generic::stream_protocol(AF_INET, IPPROTO_TCP), tcp_ends())
INTERLOCK_TEST_SOCKET(
  udp_socket, datagram_socket_shape, Family::udp::socket, boost::asio::ip::udp::v4(), udp_ends())
INTERLOCK_TEST_SOCKET(local_datagram_socket, datagram_socket_shape, Family::local_datagram::socket,
  boost::asio::local::datagram_protocol(), local_datagram_ends())
INTERLOCK_TEST_SOCKET(generic_datagram_socket, datagram_socket_shape,
  Family::generic_datagram::socket, boost::asio::generic::datagram_protocol(AF_INET, IPPROTO_UDP),
  udp_ends())
INTERLOCK_TEST_SOCKET(icmp_socket, raw_socket_shape, Family::icmp::socket,
  boost::asio::ip::icmp::v4(), raw_ends(IPPROTO_ICMP))
// A protocol for experiments.
INTERLOCK_TEST_SOCKET(generic_raw_socket, raw_socket_shape, Family::generic_raw::socket,
  boost::asio::generic::raw_protocol(AF_INET, 253), raw_ends(253))
INTERLOCK_TEST_SOCKET(generic_packet_socket, packet_socket_shape, Family::seq_packet::socket,
  boost::asio::generic::seq_packet_protocol(AF_UNIX, 0), packet_ends())
INTERLOCK_TEST_SOCKET(local_packet_socket, packet_socket_shape,
  types_of<Family>::local_seq_packet::socket, types_of<asio_family>::local_seq_packet(),
  packet_ends())
INTERLOCK_TEST_SOCKET(
  user_socket, packet_socket_shape, types_of<Family>::user::socket, packets(), packet_ends())
INTERLOCK_TEST_SOCKET(tcp_acceptor, acceptor_shape, Family::tcp::acceptor,
  boost::asio::ip::tcp::v4(), (ends{tcp_listener(64), fd()}))
INTERLOCK_TEST_SOCKET(local_stream_acceptor, acceptor_shape, Family::local::acceptor,
  boost::asio::local::stream_protocol(), local_listener(SOCK_STREAM))
INTERLOCK_TEST_SOCKET(local_packet_acceptor, acceptor_shape,
  types_of<Family>::local_seq_packet::acceptor, types_of<asio_family>::local_seq_packet(),
  local_listener(SOCK_SEQPACKET))
INTERLOCK_TEST_SOCKET(user_acceptor, acceptor_shape, types_of<Family>::user::acceptor, packets(),
  local_listener(SOCK_SEQPACKET))

#undef INTERLOCK_TEST_SOCKET

/// The base of all sockets, here that of TCP.
struct base_socket : dropin_type<base_socket_shape, base_socket>
{
  template <class Family>
  using named = typename Family::tcp::socket::lowest_layer_type;

  template <class Family, class Executor>
  using object = concrete<typename named<Family>::template rebind_executor<Executor>::other>;

  static auto protocol()
  {
    return boost::asio::ip::tcp::v4();
  }

  static ends make()
  {
    return tcp_ends();
  }
};

struct descriptor : dropin_type<descriptor_shape, descriptor>
{
  template <class Family>
  using named = typename types_of<Family>::descriptor;

  template <class Family, class Executor>
  using object = concrete<typename named<Family>::template rebind_executor<Executor>::other>;

  static ends make()
  {
    return unix_ends();
  }
};

#define INTERLOCK_TEST_DESCRIPTOR(type, shape, object_of, ends_of) \
  struct type : dropin_type<shape, type> \
  { \
    template <class Family> \
    using named = typename object_of; \
    static ends make() \
    { \
      return ends_of; \
    } \
  };

inline ends turned(ends e)
{
  return {std::move(e.far), std::move(e.near)};
}

INTERLOCK_TEST_DESCRIPTOR(
  stream_descriptor, stream_descriptor_shape, Family::stream_descriptor, unix_ends())
INTERLOCK_TEST_DESCRIPTOR(
  readable_pipe, readable_shape, types_of<Family>::readable_pipe, pipe_ends())
INTERLOCK_TEST_DESCRIPTOR(
  writable_pipe, writable_shape, types_of<Family>::writable_pipe, turned(pipe_ends()))
INTERLOCK_TEST_DESCRIPTOR(serial_port, port_shape, types_of<Family>::serial_port, terminal_ends())

#undef INTERLOCK_TEST_DESCRIPTOR

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_DROPIN_TYPES_HPP
