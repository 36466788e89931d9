// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Which socket a closable protocol has, for Asio's protocols and for those of users, and how protocols
// and their sockets convert.

#include "support/prelude.hpp"

#include <interlock.hpp>

#include <typeinfo>

#include <boost/asio/basic_seq_packet_socket.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/udp.hpp>

#include "support/message_ends.hpp"
#include "support/packets.hpp"

using namespace support;
using interlock::closable;

namespace {

// --- Of users.

/// All of it is TCP's own, the socket as well.
struct named_tcp : asio::ip::tcp
{
  named_tcp(const asio::ip::tcp& p)
    : tcp(p)
  {
  }
};

/// Its sockets have an executor type of their own.
struct narrow_udp
{
  using endpoint = asio::ip::udp::endpoint;
  using socket = asio::basic_datagram_socket<narrow_udp, asio::io_context::executor_type>;

  narrow_udp(const asio::ip::udp& p)
    : family_(p.family())
  {
  }

  int type() const noexcept
  {
    return SOCK_DGRAM;
  }

  int protocol() const noexcept
  {
    return IPPROTO_UDP;
  }

  int family() const noexcept
  {
    return family_;
  }

private:
  int family_;
};

using our_packets = closable<packets>;

// --- Types.

template <class Protocol, template <class, class> class Socket,
  class Executor = asio::any_io_executor>
constexpr bool has_socket()
{
  return std::is_same<typename Protocol::socket, Socket<Protocol, Executor>>::value;
}

static_assert(has_socket<interlock::ip::tcp, asio::basic_stream_socket>(), "");
static_assert(has_socket<interlock::ip::udp, asio::basic_datagram_socket>(), "");
static_assert(has_socket<interlock::ip::icmp, asio::basic_raw_socket>(), "");
static_assert(has_socket<interlock::local::stream_protocol, asio::basic_stream_socket>(), "");
static_assert(has_socket<interlock::local::datagram_protocol, asio::basic_datagram_socket>(), "");
static_assert(has_socket<interlock::generic::stream_protocol, asio::basic_stream_socket>(), "");
static_assert(has_socket<interlock::generic::datagram_protocol, asio::basic_datagram_socket>(), "");
static_assert(has_socket<interlock::generic::raw_protocol, asio::basic_raw_socket>(), "");
static_assert(
  has_socket<interlock::generic::seq_packet_protocol, asio::basic_seq_packet_socket>(), "");
static_assert(has_socket<our_packets, asio::basic_seq_packet_socket>(), "");
static_assert(has_socket<closable<named_tcp>, asio::basic_stream_socket>(), "");
static_assert(
  has_socket<closable<narrow_udp>, asio::basic_datagram_socket, asio::io_context::executor_type>(),
  "");

#if defined(INTERLOCK_HAS_SEQ_PACKET_PROTOCOL)
static_assert(
  has_socket<interlock::local::seq_packet_protocol, asio::basic_seq_packet_socket>(), "");
#endif

template <template <class, class> class Alias, class Protocol, class Socket>
constexpr bool names()
{
  return std::is_same<Alias<Protocol, asio::any_io_executor>, Socket>::value;
}

static_assert(
  names<interlock::basic_stream_socket, asio::ip::tcp, interlock::ip::tcp::socket>(), "");
static_assert(
  names<interlock::basic_socket_acceptor, asio::ip::tcp, interlock::ip::tcp::acceptor>(), "");
static_assert(
  names<interlock::basic_datagram_socket, asio::ip::udp, interlock::ip::udp::socket>(), "");
static_assert(
  names<interlock::basic_raw_socket, asio::ip::icmp, interlock::ip::icmp::socket>(), "");
static_assert(names<interlock::basic_seq_packet_socket, packets, our_packets::socket>(), "");

template <class Protocol, class = void>
struct has_acceptor : std::false_type
{
};

template <class Protocol>
struct has_acceptor<Protocol, std::void_t<typename Protocol::acceptor>> : std::true_type
{
};

static_assert(has_acceptor<our_packets>::value, "");
static_assert(!has_acceptor<interlock::ip::udp>::value, "");
static_assert(!has_acceptor<interlock::generic::stream_protocol>::value, "");

/// As between the same protocols of Asio.
template <class To, class From>
constexpr bool converts_alike()
{
  return std::is_constructible<typename closable<To>::socket,
           typename closable<From>::socket&&>::value
    == std::is_constructible<typename To::socket, typename From::socket&&>::value
    && std::is_assignable<typename closable<To>::socket&, typename closable<From>::socket&&>::value
    == std::is_assignable<typename To::socket&, typename From::socket&&>::value;
}

template <class To>
constexpr bool converts_alike_from_all()
{
  return converts_alike<To, asio::ip::tcp>() && converts_alike<To, asio::ip::udp>()
    && converts_alike<To, asio::ip::icmp>() && converts_alike<To, asio::local::stream_protocol>()
    && converts_alike<To, asio::local::datagram_protocol>() && converts_alike<To, packets>()
    && converts_alike<To, asio::generic::stream_protocol>()
    && converts_alike<To, asio::generic::datagram_protocol>()
    && converts_alike<To, asio::generic::raw_protocol>()
    && converts_alike<To, asio::generic::seq_packet_protocol>();
}

static_assert(converts_alike_from_all<asio::ip::tcp>(), "");
static_assert(converts_alike_from_all<asio::ip::udp>(), "");
static_assert(converts_alike_from_all<asio::generic::stream_protocol>(), "");
static_assert(converts_alike_from_all<asio::generic::datagram_protocol>(), "");
static_assert(converts_alike_from_all<asio::generic::raw_protocol>(), "");
static_assert(converts_alike_from_all<asio::generic::seq_packet_protocol>(), "");
static_assert(std::is_constructible<interlock::generic::stream_protocol::socket,
                interlock::ip::tcp::socket&&>::value,
  "");
static_assert(!std::is_constructible<interlock::generic::stream_protocol::socket,
                interlock::ip::udp::socket&&>::value,
  "");

const asio::ip::tcp::endpoint any_port(asio::ip::address_v4::loopback(), 0);

} // namespace

BOOST_AUTO_TEST_SUITE(test_protocols)

BOOST_AUTO_TEST_CASE(a_protocol_of_another_type_does_not_become_generic)
{
  BOOST_CHECK_THROW(
    interlock::generic::stream_protocol{interlock::ip::udp{asio::ip::udp::v4()}}, std::bad_cast);
  BOOST_CHECK_THROW(interlock::generic::datagram_protocol{asio::ip::tcp::v4()}, std::bad_cast);
  BOOST_TEST(interlock::generic::stream_protocol(asio::ip::tcp::v6()).family() == AF_INET6);
  BOOST_TEST(interlock::generic::raw_protocol(asio::ip::icmp::v4()).protocol() == IPPROTO_ICMP);
}

BOOST_AUTO_TEST_CASE(a_tcp_socket_becomes_generic_with_its_operations)
{
  const census descriptors;
  {
    asio::io_context context;
    handler_tally tally;
    interlock::ip::tcp::acceptor acceptor(context, any_port);
    // Asio's own connects: ours could leave a wake-up descriptor with this thread.
    asio::ip::tcp::socket client(context);
    client.connect(acceptor.local_endpoint());
    interlock::ip::tcp::socket accepted = acceptor.accept();
    char data[4];
    error_code received = aborted;
    accepted.async_receive(asio::buffer(data), tally(into(received)));
    interlock::generic::stream_protocol::socket generic(std::move(accepted));
    BOOST_TEST(!accepted.is_open());
    BOOST_TEST(generic.local_endpoint().protocol().family() == AF_INET);
    client.send(asio::buffer("abc", 3));
    context.run();
    BOOST_TEST(received == success);
    error_code closed = aborted;
    generic.async_close(tally(into(closed)));
    context.restart();
    context.run();
    BOOST_TEST(closed == success);
    BOOST_TEST(tally.all_called());
  }
  BOOST_TEST(descriptors.restored());
}

BOOST_AUTO_TEST_CASE(a_generic_socket_is_opened_with_any_protocol)
{
  asio::io_context context;
  const asio::ip::tcp::endpoint where = any_port;
  interlock::generic::stream_protocol::socket s(
    context, interlock::generic::stream_protocol(where.protocol()));
  BOOST_TEST(s.is_open());
  s.close();
  s.open(where.protocol());
  s.bind(where);
  BOOST_TEST(s.local_endpoint().size() == where.size());
  interlock::generic::stream_protocol::socket named(
    context, asio::generic::stream_protocol(AF_INET, IPPROTO_TCP));
  BOOST_TEST(named.is_open());
  interlock::generic::stream_protocol::socket braced(context, {AF_INET, IPPROTO_TCP});
  BOOST_TEST(braced.is_open());
}

BOOST_AUTO_TEST_CASE(a_protocol_of_the_users_has_sockets_and_acceptors)
{
  const census descriptors;
  {
    asio::io_context context;
    const packets::endpoint where(abstract_name("packets").path());
    our_packets::acceptor acceptor(context, where, false);
    our_packets::socket client(context);
    client.connect(where);
    our_packets::socket accepted = acceptor.accept();
    client.send(asio::buffer("abcdef", 6), 0);
    char data[4];
    int flags = 0;
    BOOST_TEST(accepted.receive(asio::buffer(data), flags) == 4u);
    BOOST_TEST(flags == MSG_TRUNC);
    our_packets::socket second(context);
    second.async_connect(where, [](error_code) {});
    our_packets::socket peer(context);
    error_code ec = aborted;
    acceptor.async_accept(peer, into(ec));
    context.run();
    BOOST_TEST(ec == success);
    BOOST_TEST(peer.is_open());
  }
  BOOST_TEST(descriptors.restored());
}

BOOST_AUTO_TEST_CASE(pairs_are_of_any_protocol)
{
  asio::io_context context;
  our_packets::socket a(context);
  our_packets::socket b(context);
  interlock::local::connect_pair(a, b);
  a.send(asio::buffer("abc", 3), 0);
  char data[4];
  int flags = -1;
  BOOST_TEST(b.receive(asio::buffer(data), flags) == 3u);
  interlock::local::datagram_protocol::socket c(context);
  interlock::local::datagram_protocol::socket d(context);
  interlock::local::connect_pair(c, d);
  BOOST_TEST(c.send(asio::buffer("abc", 3)) == 3u);
  BOOST_TEST(d.receive(asio::buffer(data)) == 3u);
}

BOOST_AUTO_TEST_CASE(a_protocol_derived_from_tcp_is_one)
{
  asio::io_context context;
  using protocol = closable<named_tcp>;
  protocol::acceptor acceptor(context, any_port);
  protocol::socket client(context);
  client.connect(acceptor.local_endpoint());
  protocol::socket accepted = acceptor.accept();
  BOOST_TEST(client.send(asio::buffer("abc", 3)) == 3u);
  char data[4];
  BOOST_TEST(accepted.receive(asio::buffer(data)) == 3u);
  asio::ip::tcp::socket plain = client.to_asio();
  BOOST_TEST(plain.is_open());
}

BOOST_AUTO_TEST_CASE(a_socket_keeps_the_executor_type_of_its_protocol)
{
  asio::io_context context;
  closable<narrow_udp>::socket s(context, loopback_udp());
  BOOST_TEST((s.get_executor() == context.get_executor()));
  BOOST_TEST(s.send_to(asio::buffer("abc", 3), s.local_endpoint()) == 3u);
  char data[4];
  BOOST_TEST(s.receive(asio::buffer(data)) == 3u);
}

BOOST_AUTO_TEST_CASE(datagram_sockets_move_from_and_to_asio)
{
  const census descriptors;
  {
    asio::io_context context;
    handler_tally tally;
    asio::ip::udp::socket plain(context, loopback_udp());
    const auto where = plain.local_endpoint();
    char data[4];
    error_code received = aborted;
    plain.async_receive(asio::buffer(data), tally(into(received)));
    interlock::ip::udp::socket ours(std::move(plain));
    BOOST_TEST(!plain.is_open());
    BOOST_TEST(ours.send_to(asio::buffer("abc", 3), where) == 3u);
    context.run();
    BOOST_TEST(received == success);
    plain = ours.to_asio();
    BOOST_TEST(!ours.is_open());
    BOOST_TEST((plain.local_endpoint() == where));
    BOOST_CHECK_THROW(ours.to_asio(), boost::system::system_error);
    BOOST_TEST(tally.all_called());
  }
  BOOST_TEST(descriptors.restored());
}

// The range connect closes before each attempt, and deduces basic_socket.
BOOST_AUTO_TEST_CASE(datagram_sockets_connect_to_what_has_been_resolved)
{
  asio::io_context context;
  interlock::ip::udp::resolver resolver(context);
  const auto found = resolver.resolve("127.0.0.1", "9");
  interlock::ip::udp::socket s(context);
  asio::connect(s, found);
  BOOST_TEST(s.remote_endpoint().port() == 9);
  error_code ec = aborted;
  asio::async_connect(s, found, into(ec));
  context.run();
  BOOST_TEST(ec == success);
}

BOOST_AUTO_TEST_SUITE_END()
