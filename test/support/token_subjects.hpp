// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The objects that completion tokens are tried on: how each is made in a setting, what stands at its
// other end, and which asynchronous members it has. A type that is added here is tried with every token.
//
// One of each class template: protocols differ in nothing that a token could see, and a
// posix::descriptor is always the base of a stream_descriptor. `Make` says with
// which executor type the objects are made.

#ifndef INTERLOCK_TEST_SUPPORT_TOKEN_SUBJECTS_HPP
#define INTERLOCK_TEST_SUPPORT_TOKEN_SUBJECTS_HPP

#include <atomic>
#include <cstddef>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <sys/socket.h>
#include <termios.h>

#include <boost/asio/basic_seq_packet_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/icmp.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <interlock.hpp>

#include "support/blocking_subjects.hpp"
#include "support/message_ends.hpp"
#include "support/pty.hpp"
#include "support/raw_sockets.hpp"
#include "support/token_members.hpp"

namespace support {

/// Objects are of the type itself, over any_io_executor.
struct as_they_are
{
  template <class Object>
  using type = Object;

  template <class Object, class... Args>
  static type<Object> make(asio::io_context& context, const Args&... args)
  {
    return Object(context, args...);
  }
};

/// Over the executor of the context itself.
struct over_the_context
{
  template <class Object>
  using type = typename Object::template rebind_executor<asio::io_context::executor_type>::other;

  template <class Object, class... Args>
  static type<Object> make(asio::io_context& context, const Args&... args)
  {
    return type<Object>(context, args...);
  }
};

/// `Token` is the default: made as Asio makes them, out of an object that has none.
template <class Token>
struct with_default
{
  template <class Object>
  using type = typename Token::template as_default_on_t<Object>;

  template <class Object, class... Args>
  static type<Object> make(asio::io_context& context, const Args&... args)
  {
    return Token::as_default_on(Object(context, args...));
  }
};

/// What all subjects have.
struct subject_base
{
  /// What the system puts in front of what is received.
  static constexpr std::size_t header = 0;
  static constexpr bool output_fills = true;
  static constexpr bool connects_wait = false;

  asio::io_context context;
  int fd = -1;
  support::fd far;
  interlock::fd_lease lease;
  char in[64] = {};

  static bool is_possible()
  {
    return true;
  }

  auto into()
  {
    return asio::buffer(in);
  }

  static auto from()
  {
    return asio::buffer(travelling_text());
  }
};

// --- Sockets.

/// What differs between the sockets: a connected pair, and an address that can be connected to.
struct of_tcp
{
  using protocol = interlock::ip::tcp;
  static constexpr std::size_t header = 0;
  static constexpr bool output_fills = true;
  static constexpr bool connects_wait = true;

  static protocol value()
  {
    return asio::ip::tcp::v4();
  }

  static ends pair(setting)
  {
    return tcp_ends();
  }

  static protocol::endpoint address(const support::fd& n)
  {
    return {asio::ip::address_v4::loopback(), ntohs(address_of(n).sin_port)};
  }

  /// No answer has come yet, if it waits: the queue is full.
  static protocol::endpoint listen(setting how, ends& kept)
  {
    kept.far = tcp_listener(how == setting::waiting ? 0 : 16);
    if (how == setting::waiting)
    {
      kept.near = tcp_connected_to(kept.far);
      ::pollfd taken = {kept.far.get(), POLLIN, 0};
      checked(::poll(&taken, 1, -1), "poll");
    }
    return address(kept.far);
  }

  static void fill(const ends& pair)
  {
    cut_off(pair.far.get());
    write_until_full(pair.near.get());
  }
};

/// A socket of AF_UNIX, of a type that has connections.
template <class Protocol, int Type>
struct of_unix
{
  using protocol = Protocol;
  static constexpr std::size_t header = 0;
  static constexpr bool output_fills = true;
  static constexpr bool connects_wait = false;

  static protocol value()
  {
    return {};
  }

  static ends pair(setting)
  {
    return message_ends(Type);
  }

  static typename protocol::endpoint address(const support::fd&)
  {
    return {};
  }

  static typename protocol::endpoint listen(setting, ends& kept)
  {
    static std::atomic<int> count{0};
    const asio::local::datagram_protocol::endpoint name = abstract_name(
      "token" + std::to_string(++count));
    kept.far.reset(checked(::socket(AF_UNIX, Type | SOCK_CLOEXEC, 0), "socket"));
    checked(::bind(kept.far.get(), name.data(), static_cast<::socklen_t>(name.size())), "bind");
    checked(::listen(kept.far.get(), 4), "listen");
    return typename protocol::endpoint(name.path());
  }

  static void fill(const ends& pair)
  {
    write_until_full(pair.near.get());
  }
};

/// A pair of AF_INET whose messages go only to each other: each has an address of this machine.
template <class Protocol, int Type, int Number>
struct of_messages
{
  using protocol = Protocol;
  static constexpr bool output_fills = false;
  static constexpr bool connects_wait = false;

  static ends pair(setting)
  {
    ends made{support::fd(checked(::socket(AF_INET, Type | SOCK_CLOEXEC, Number), "socket")),
      support::fd(checked(::socket(AF_INET, Type | SOCK_CLOEXEC, Number), "socket"))};
    bind(made.near, 1);
    bind(made.far, 2);
    connect(made.near, made.far);
    connect(made.far, made.near);
    return made;
  }

  static typename protocol::endpoint address(const support::fd& n)
  {
    const ::sockaddr_in a = address_of(n);
    const asio::ip::address_v4 host(ntohl(a.sin_addr.s_addr));
    return {host, Type == SOCK_RAW ? static_cast<unsigned short>(0) : ntohs(a.sin_port)};
  }

  static typename protocol::endpoint listen(setting, ends& kept)
  {
    kept = pair(setting::ready);
    return address(kept.far);
  }

  static void fill(const ends&) {}

private:
  static void bind(const support::fd& n, unsigned char last)
  {
    ::sockaddr_in own = {};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(0x7f54'0700u + last);
    checked(::bind(n.get(), reinterpret_cast<::sockaddr*>(&own), sizeof(own)), "bind");
  }

  static void connect(const support::fd& n, const support::fd& to)
  {
    const ::sockaddr_in a = address_of(to);
    checked(::connect(n.get(), reinterpret_cast<const ::sockaddr*>(&a), sizeof(a)), "connect");
  }
};

struct of_udp : of_messages<interlock::ip::udp, SOCK_DGRAM, IPPROTO_UDP>
{
  static constexpr std::size_t header = 0;

  static protocol value()
  {
    return asio::ip::udp::v4();
  }
};

/// No message of ICMP that the system would answer; it puts the header of IP in front of each.
struct of_icmp : of_messages<interlock::ip::icmp, SOCK_RAW, IPPROTO_ICMP>
{
  static constexpr std::size_t header = 20;

  static protocol value()
  {
    return asio::ip::icmp::v4();
  }
};

/// Sequenced packets of AF_UNIX, whatever Asio has.
struct unix_packets
{
  using endpoint = asio::local::basic_endpoint<unix_packets>;
  using socket = asio::basic_seq_packet_socket<unix_packets>;

  int type() const noexcept
  {
    return SOCK_SEQPACKET;
  }

  int protocol() const noexcept
  {
    return 0;
  }

  int family() const noexcept
  {
    return AF_UNIX;
  }
};

using of_local = of_unix<interlock::local::stream_protocol, SOCK_STREAM>;
using of_packets = of_unix<interlock::closable<unix_packets>, SOCK_SEQPACKET>;

template <class Of, class Make>
class socket_subject : public subject_base
{
  using protocol = typename Of::protocol;
  using plain = typename protocol::socket;

  socket_subject(setting how, ends pair)
    : object(Make::template make<plain>(context, Of::value(), pair.near.get())),
      where(Of::address(pair.far)),
      listening(Of::listen(how, listeners_))
  {
    fd = pair.near.release();
    far = std::move(pair.far);
    if (how == setting::ready)
      send_text(far, travelling_text());
  }

  static ends prepared(setting how)
  {
    ends pair = Of::pair(how);
    if (how == setting::waiting)
      Of::fill(pair);
    return pair;
  }

  ends listeners_;

public:
  using object_type = typename Make::template type<plain>;
  static constexpr std::size_t header = Of::header;
  static constexpr bool output_fills = Of::output_fills;
  static constexpr bool connects_wait = Of::connects_wait;

  object_type object;
  object_type unconnected = Make::template make<plain>(context);
  /// The address of the far end.
  typename object_type::endpoint_type where;
  typename object_type::endpoint_type sender;
  typename object_type::endpoint_type listening;
  asio::socket_base::message_flags out_flags = -1;

  explicit socket_subject(setting how)
    : socket_subject(how, prepared(how))
  {
  }

  /// A raw socket does not tell its peer's address, but can send without one.
  bool is_connected()
  {
    boost::system::error_code ec;
    if constexpr (header == 0)
      return unconnected.remote_endpoint(ec) == listening;
    else
      return unconnected.send(from(), 0, ec) == travelling_text().size();
  }
};

using stream_members =
  std::tuple<member::async_read_some, member::async_write_some, member::async_send,
    member::async_send_with_flags, member::async_receive, member::async_receive_with_flags,
    member::async_wait, member::async_connect, member::async_close, member::async_release>;

using message_members =
  std::tuple<member::async_send, member::async_send_with_flags, member::async_receive,
    member::async_receive_with_flags, member::async_send_to, member::async_send_to_with_flags,
    member::async_receive_from, member::async_receive_from_with_flags, member::async_wait,
    member::async_connect, member::async_close, member::async_release>;

template <class Make>
struct tcp_socket_subject : socket_subject<of_tcp, Make>
{
  using members = stream_members;
  using socket_subject<of_tcp, Make>::socket_subject;
};

template <class Make>
struct udp_socket_subject : socket_subject<of_udp, Make>
{
  using members = message_members;
  using socket_subject<of_udp, Make>::socket_subject;
};

/// Where the process may not open raw sockets it is left out.
template <class Make>
struct icmp_socket_subject : private raw_sockets_alone, socket_subject<of_icmp, Make>
{
  using members = message_members;
  using socket_subject<of_icmp, Make>::socket_subject;

  static bool is_possible()
  {
    return !!raw_sockets_may_be_opened(0);
  }
};

template <class Make>
struct seq_packet_socket_subject : socket_subject<of_packets, Make>
{
  using members = std::tuple<member::async_send_with_flags, member::async_receive_record,
    member::async_receive_record_with_flags, member::async_wait, member::async_connect,
    member::async_close, member::async_release>;
  using socket_subject<of_packets, Make>::socket_subject;
};

template <class Make>
struct listening_subject : subject_base
{
  using protocol = interlock::ip::tcp;
  using object_type = typename Make::template type<protocol::acceptor>;
  using members = std::tuple<member::async_accept, member::async_accept_on_context,
    member::async_accept_on_executor, member::async_accept_from,
    member::async_accept_on_context_from, member::async_accept_on_executor_from,
    member::async_accept_into, member::async_accept_into_from, member::async_wait,
    member::async_close, member::async_release>;
  template <class Executor>
  using accepted =
    typename protocol::socket::rebind_executor<std::conditional_t<std::is_void<Executor>::value,
      typename object_type::executor_type, Executor>>::other;

  object_type object{Make::template make<protocol::acceptor>(context, any_local_port())};
  protocol::socket peer{context};
  protocol::endpoint sender;
  support::fd client;

  explicit listening_subject(setting how)
  {
    fd = object.native_handle();
    if (how == setting::waiting)
      return;
    client.reset(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    const auto to = object.local_endpoint();
    checked(::connect(client.get(), to.data(), static_cast<::socklen_t>(to.size())), "connect");
  }

  protocol::endpoint client_name() const
  {
    return of_tcp::address(client);
  }

  template <class Peer>
  bool is_client(const Peer& p) const
  {
    boost::system::error_code ec;
    return p.remote_endpoint(ec) == client_name();
  }
};

// --- Descriptors, pipes and serial ports.

/// Over a pair of AF_UNIX, which goes both ways.
template <class Descriptor, class Make>
class descriptor_subject_of : public subject_base
{
  descriptor_subject_of(setting how, ends pair)
    : object(Make::template make<Descriptor>(context, pair.near.get()))
  {
    fd = pair.near.release();
    far = std::move(pair.far);
    if (how == setting::ready)
      send_text(far, travelling_text());
  }

  static ends prepared(setting how)
  {
    ends pair = unix_ends();
    if (how == setting::waiting)
      write_until_full(pair.near.get());
    return pair;
  }

public:
  typename Make::template type<Descriptor> object;

  explicit descriptor_subject_of(setting how)
    : descriptor_subject_of(how, prepared(how))
  {
  }
};

template <class Make>
struct stream_descriptor_subject : descriptor_subject_of<interlock::posix::stream_descriptor, Make>
{
  using members = std::tuple<member::async_read_some, member::async_write_some, member::async_wait,
    member::async_close, member::async_release>;
  using descriptor_subject_of<interlock::posix::stream_descriptor, Make>::descriptor_subject_of;
};

template <class Make>
struct readable_pipe_subject : descriptor_subject_of<interlock::readable_pipe, Make>
{
  using members = std::tuple<member::async_read_some, member::async_close, member::async_release>;
  using descriptor_subject_of<interlock::readable_pipe, Make>::descriptor_subject_of;
};

template <class Make>
struct writable_pipe_subject : descriptor_subject_of<interlock::writable_pipe, Make>
{
  using members = std::tuple<member::async_write_some, member::async_close, member::async_release>;
  using descriptor_subject_of<interlock::writable_pipe, Make>::descriptor_subject_of;
};

/// The slave of a pseudo-terminal, whose output has been stopped if it is to wait.
template <class Make>
struct serial_port_subject : subject_base
{
  using members = std::tuple<member::async_read_some, member::async_write_some, member::async_close,
    member::async_release>;

  pty terminal;
  typename Make::template type<interlock::serial_port> object{
    Make::template make<interlock::serial_port>(context, terminal.name())};

  explicit serial_port_subject(setting how)
  {
    fd = object.native_handle();
    far.reset(checked(::fcntl(terminal.master().get(), F_DUPFD_CLOEXEC, 0), "fcntl"));
    if (how == setting::ready)
    {
      send_text(far, travelling_text());
      return;
    }
    checked(::tcflow(fd, TCOOFF), "tcflow");
    write_until_full(fd);
  }
};

/// A handle of a socket, which closes it.
template <class Make>
struct close_handle_subject : socket_subject<of_local, Make>
{
  using members = std::tuple<member::async_close_by_handle>;
  using socket_subject<of_local, Make>::socket_subject;
};

// Lists for BOOST_AUTO_TEST_CASE_TEMPLATE. Of other executors than any_io_executor there are descriptors
// from Boost 1.75 on; a handle has an executor of its own.

template <class Make>
using socket_subjects = std::tuple<tcp_socket_subject<Make>, udp_socket_subject<Make>,
  icmp_socket_subject<Make>, seq_packet_socket_subject<Make>, listening_subject<Make>>;

template <class Make>
using descriptor_subjects = std::tuple<stream_descriptor_subject<Make>, readable_pipe_subject<Make>,
  writable_pipe_subject<Make>, serial_port_subject<Make>>;

template <class... Lists>
using joined = decltype(std::tuple_cat(std::declval<Lists>()...));

using every_subject = joined<socket_subjects<as_they_are>, descriptor_subjects<as_they_are>,
  std::tuple<close_handle_subject<as_they_are>>>;

#if defined(INTERLOCK_HAS_DESCRIPTORS_OF_ANY_EXECUTOR)
template <class Make>
using rebound_subjects = joined<socket_subjects<Make>, descriptor_subjects<Make>>;
#else
template <class Make>
using rebound_subjects = socket_subjects<Make>;
#endif

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_TOKEN_SUBJECTS_HPP
