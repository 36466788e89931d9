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

#include <boost/system/error_code.hpp>
#include <boost/test/unit_test.hpp>

#include "support/blocking_subjects.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/differential.hpp"
#include "support/pty.hpp"

namespace support {

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

/// An address of any family.
struct address
{
  ::sockaddr_storage value = {};
  ::socklen_t size = sizeof(value);

  ::sockaddr* get()
  {
    return reinterpret_cast<::sockaddr*>(&value);
  }
};

/// An address of this machine; `last` is the last byte of 127.83.9.x.
inline address own_ip(unsigned last)
{
  address a;
  a.size = sizeof(::sockaddr_in);
  const auto in = reinterpret_cast<::sockaddr_in*>(&a.value);
  in->sin_family = AF_INET;
  in->sin_addr.s_addr = htonl(0x7f530900u + last);
  return a;
}

/// Of AF_UNIX. Bound with the family alone, a socket gets a name of the system's choice.
inline address any_name()
{
  address a;
  a.value.ss_family = AF_UNIX;
  a.size = sizeof(::sa_family_t);
  return a;
}

inline fd bound_to(address a, int type, int protocol = 0)
{
  fd n(checked(::socket(a.value.ss_family, type | SOCK_CLOEXEC, protocol), "socket"));
  checked(::bind(n.get(), a.get(), a.size), "bind");
  return n;
}

inline void connect_to(int from, int to)
{
  address a;
  checked(::getsockname(to, a.get(), &a.size), "getsockname");
  checked(::connect(from, a.get(), a.size), "connect");
}

/// Two sockets, each bound to an address, and connected to the other.
inline ends bound_ends(int type, int protocol, const address& near, const address& far)
{
  ends made = {bound_to(near, type, protocol), bound_to(far, type, protocol)};
  connect_to(made.near.get(), made.far.get());
  connect_to(made.far.get(), made.near.get());
  return made;
}

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
  return bound_ends(SOCK_DGRAM, 0, any_name(), any_name());
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
  fd listener = bound_to(any_name(), type);
  checked(::listen(listener.get(), 64), "listen");
  return {std::move(listener), fd()};
}

/// A connection to `listener`, a descriptor, of whatever family and type that is.
inline fd client_of(int listener)
{
  const auto option = [listener](int name)
  {
    int value = 0;
    ::socklen_t size = sizeof(value);
    checked(::getsockopt(listener, SOL_SOCKET, name, &value, &size), "getsockopt");
    return value;
  };
  fd client(checked(::socket(option(SO_DOMAIN), option(SO_TYPE) | SOCK_CLOEXEC, 0), "socket"));
  connect_to(client.get(), listener);
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
  static constexpr bool is_tcp = false;    // what is sent to the peer waits for its acknowledgement
  static constexpr bool is_raw = false;
  // Of what a message has in front of it when it is received.
  static constexpr std::size_t header = 0;
  // Whether writes come to wait for room. Of a datagram of IP the system drops what has none.
  static constexpr bool output_fills = true;
};

struct base_socket_shape : shape
{
  static constexpr bool is_socket = true;
  static constexpr bool has_blocking_state = true;
  static constexpr bool is_stream = true;
};

struct tcp_base_shape : base_socket_shape
{
  static constexpr bool is_tcp = true;
};

struct stream_socket_shape : base_socket_shape
{
  static constexpr bool reads = true;
  static constexpr bool writes = true;
  static constexpr bool has_flags = true;
};

struct tcp_socket_shape : stream_socket_shape
{
  static constexpr bool is_tcp = true;
};

struct datagram_socket_shape : base_socket_shape
{
  static constexpr bool has_flags = true;
  static constexpr bool has_addresses = true;
  static constexpr bool is_stream = false;
  static constexpr bool output_fills = false;
};

struct local_datagram_shape : datagram_socket_shape
{
  static constexpr bool output_fills = true;
};

struct raw_socket_shape : datagram_socket_shape
{
  static constexpr std::size_t header = 20;
  static constexpr bool is_raw = true;
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

  /// A write waits from here on, if output fills.
  static void fill(int near, const fd& far)
  {
    if constexpr (Shape::is_port)
      checked(::tcflow(near, TCOOFF), "tcflow");
    // A full buffer of a peer that reads nothing would not do: the peer's kernel may still make room.
    else if constexpr (Shape::is_tcp)
      cut_off(far.get());
    if constexpr (Shape::output_fills && (Shape::writes || Shape::has_flags || Shape::has_records))
      write_until_full(near);
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
  tcp_socket, tcp_socket_shape, Family::tcp::socket, boost::asio::ip::tcp::v4(), tcp_ends())
INTERLOCK_TEST_SOCKET(local_stream_socket, stream_socket_shape, Family::local::socket,
  boost::asio::local::stream_protocol(), unix_ends())
INTERLOCK_TEST_SOCKET(generic_stream_socket, tcp_socket_shape, Family::generic::socket,
  boost::asio::generic::stream_protocol(AF_INET, IPPROTO_TCP), tcp_ends())
INTERLOCK_TEST_SOCKET(
  udp_socket, datagram_socket_shape, Family::udp::socket, boost::asio::ip::udp::v4(), udp_ends())
INTERLOCK_TEST_SOCKET(local_datagram_socket, local_datagram_shape, Family::local_datagram::socket,
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
INTERLOCK_TEST_SOCKET(local_packet_socket, packet_socket_shape, Family::local_seq_packet::socket,
  asio_family::local_seq_packet(), packet_ends())
INTERLOCK_TEST_SOCKET(
  user_socket, packet_socket_shape, Family::user::socket, packets(), packet_ends())
INTERLOCK_TEST_SOCKET(tcp_acceptor, acceptor_shape, Family::tcp::acceptor,
  boost::asio::ip::tcp::v4(), (ends{tcp_listener(64), fd()}))
INTERLOCK_TEST_SOCKET(local_stream_acceptor, acceptor_shape, Family::local::acceptor,
  boost::asio::local::stream_protocol(), local_listener(SOCK_STREAM))
INTERLOCK_TEST_SOCKET(local_packet_acceptor, acceptor_shape, Family::local_seq_packet::acceptor,
  asio_family::local_seq_packet(), local_listener(SOCK_SEQPACKET))
INTERLOCK_TEST_SOCKET(
  user_acceptor, acceptor_shape, Family::user::acceptor, packets(), local_listener(SOCK_SEQPACKET))

#undef INTERLOCK_TEST_SOCKET

/// The base of all sockets, here that of TCP.
struct base_socket : dropin_type<tcp_base_shape, base_socket>
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
  using named = typename Family::descriptor;

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
INTERLOCK_TEST_DESCRIPTOR(readable_pipe, readable_shape, Family::readable_pipe, pipe_ends())
INTERLOCK_TEST_DESCRIPTOR(writable_pipe, writable_shape, Family::writable_pipe, turned(pipe_ends()))
INTERLOCK_TEST_DESCRIPTOR(serial_port, port_shape, Family::serial_port, terminal_ends())

#undef INTERLOCK_TEST_DESCRIPTOR

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_DROPIN_TYPES_HPP
