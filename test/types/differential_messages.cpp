// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Guarantee G12, by comparison: messages that are empty, too long or without a receiver, errors that come back
// from the peer, addresses in use, and ends of connections, over datagram and sequenced packet
// sockets of both families.

#include "support/prelude.hpp"

#include <array>

#include <boost/asio/ip/multicast.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/socket_base.hpp>

#include "support/differential.hpp"
#include "support/message_ends.hpp"

using namespace support;
using asio::socket_base;
using endpoint = asio::ip::udp::endpoint;

namespace {

template <class Socket>
void note_receive(notes& note, const std::string& what, Socket& s, std::size_t room)
{
  std::string data(room, ' ');
  typename Socket::endpoint_type from;
  error_code ec;
  const std::size_t n = s.receive_from(asio::buffer(data), from, 0, ec);
  note(what, ec);
  note(what + " has " + data.substr(0, n), n);
}

/// The two empty datagrams.
template <class Socket>
void note_empty(notes& note, Socket& s)
{
  for (int i = 0; i != 2; ++i)
  {
    char data[4];
    error_code ec;
    note("receive of nothing", s.receive(asio::buffer(data), 0, ec), ec);
  }
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_differential_messages, compared)

BOOST_AUTO_TEST_CASE_TEMPLATE(datagrams_that_cannot_be_sent_are_the_same, F, both_families)
{
  using udp = typename F::udp;
  using socket = typename udp::socket;
  error_code ec;
  socket s(context, udp::v4());
  s.send(asio::buffer("x", 1), 0, ec);
  note("send when not connected", ec);
  s.send_to(asio::buffer("x", 1), endpoint(asio::ip::address_v6::loopback(), 9), 0, ec);
  note("send_to the other family", ec);
  s.send_to(asio::buffer("x", 1), loopback_udp(), 0, ec);
  note("send_to port 0", ec);
  const std::vector<char> much(70000);
  s.send_to(asio::buffer(much), endpoint(asio::ip::address_v4::loopback(), 9), 0, ec);
  note("send_to of too much", ec);
  s.send_to(asio::buffer("x", 1), endpoint(asio::ip::address_v4::broadcast(), 9), 0, ec);
  note("send_to everybody", ec);
  s.async_send_to(asio::buffer(much), endpoint(asio::ip::address_v4::loopback(), 9),
    note.handler("async_send_to of too much"));
  run(context);
  s.non_blocking(true);
  note_receive(note, "receive_from in non-blocking mode", s, 8);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(datagrams_of_every_size_are_the_same, F, both_families)
{
  using udp = typename F::udp;
  typename udp::socket a(context, loopback_udp());
  typename udp::socket b(context, loopback_udp());
  const endpoint to = b.local_endpoint();
  error_code ec;
  note("send_to of nothing", a.send_to(asio::buffer("", 0), to, 0, ec), ec);
  const std::vector<asio::const_buffer> no_buffers;
  note("send_to of no buffers", a.send_to(no_buffers, to, 0, ec), ec);
  char data[4];
  note_empty(note, b);
  a.send_to(asio::buffer("abcdef", 6), to);
  note("short receive", b.receive(asio::buffer(data), 0, ec), ec);
  a.send_to(asio::buffer("abcdef", 6), to);
  note("peek", b.receive(asio::buffer(data), socket_base::message_peek, ec));
  note("available", b.available(ec));
  const std::vector<asio::mutable_buffer> nowhere;
  note("receive into no buffers", b.receive(nowhere, 0, ec), ec);
  a.send_to(std::array<asio::const_buffer, 2>{asio::buffer("ab", 2), asio::buffer("cd", 2)}, to);
  endpoint from;
  b.async_receive_from(asio::buffer(data), from, note.handler("async_receive_from"));
  run(context);
  note("data", std::string(data, 4));
  note("sender", from == a.local_endpoint());
  a.send_to(asio::buffer("", 0), to);
  b.async_receive(asio::buffer(data), note.handler("async_receive of nothing"));
  run(context);
  b.async_receive_from(asio::buffer(data), from, note.handler("cancelled"));
  b.cancel();
  run(context);
}

// A refused datagram comes back as an error of a connected socket, which is told once.
BOOST_AUTO_TEST_CASE_TEMPLATE(datagrams_that_are_refused_are_the_same, F, both_families)
{
  using udp = typename F::udp;
  endpoint nobody;
  {
    asio::ip::udp::socket gone(context, loopback_udp());
    nobody = gone.local_endpoint();
  }
  typename udp::socket s(context, loopback_udp());
  s.connect(nobody);
  error_code ec;
  char data[4];
  for (const bool receives : {false, true})
  {
    s.send(asio::buffer("x", 1), 0, ec);
    note("send", ec);
    if (receives)
      s.receive(asio::buffer(data), 0, ec);
    else
      s.send(asio::buffer("x", 1), 0, ec);
    note("then", ec);
  }
  s.send(asio::buffer("x", 1), 0, ec);
  s.async_receive(asio::buffer(data), note.handler("async_receive"));
  run(context);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(addresses_of_datagram_sockets_are_the_same, F, both_families)
{
  using udp = typename F::udp;
  using socket = typename udp::socket;
  error_code ec;
  socket a(context, loopback_udp());
  socket b(context, udp::v4());
  note("bind in use", b.bind(a.local_endpoint(), ec));
  note.thrown_in_making(
    "socket on an address in use", [&] { socket made(context, a.local_endpoint()); });
  note("remote_endpoint", b.remote_endpoint(ec), ec);
  note("set_option", b.set_option(socket_base::reuse_address(true), ec));
  note("multicast loopback", b.set_option(asio::ip::multicast::enable_loopback(true), ec));
  note("multicast hops", b.set_option(asio::ip::multicast::hops(3), ec));
  b.set_option(asio::ip::multicast::join_group(asio::ip::make_address("239.255.0.1")), ec);
  note("join_group has failed", static_cast<bool>(ec));
  note("open again", b.open(udp::v4(), ec));
  b.close(ec);
  note("connect opens", b.connect(a.local_endpoint(), ec));
  note("remote_endpoint", b.remote_endpoint() == a.local_endpoint());
  socket c(context);
  c.async_connect(a.local_endpoint(), note.handler("async_connect"));
  run(context);
  note("remote_endpoint", c.remote_endpoint() == a.local_endpoint());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(moved_datagram_sockets_are_the_same, F, both_families)
{
  using socket = typename F::udp::socket;
  socket a(context, loopback_udp());
  const endpoint where = a.local_endpoint();
  char data[4] = {};
  a.async_receive(asio::buffer(data), note.handler("receive"));
  typename F::generic_datagram::socket g(std::move(a));
  note("moved from is open", a.is_open());
  note("generic is open", g.is_open());
  note("family", g.local_endpoint().protocol().family());
  asio::ip::udp::socket sender(context, asio::ip::udp::v4());
  sender.send_to(asio::buffer("abc", 3), where);
  run(context);
  typename F::generic_datagram::socket assigned(context);
  assigned = socket(context, loopback_udp());
  note("assigned is open", assigned.is_open());
  note("port", assigned.local_endpoint().size());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(records_are_the_same, F, both_families)
{
  using protocol = typename F::seq_packet;
  using socket = typename protocol::socket;
  ends pair = message_ends(SOCK_SEQPACKET);
  socket a(context, protocol(AF_UNIX, 0), pair.near.release());
  socket b(context, protocol(AF_UNIX, 0), pair.far.release());
  error_code ec;
  int flags = -1;
  char data[4] = {};
  a.send(asio::buffer("abcdef", 6), 0, ec);
  note("send", ec);
  note("truncated", b.receive(asio::buffer(data), flags));
  note("flags", flags);
  a.send(asio::buffer("ab", 2), socket_base::message_end_of_record, ec);
  note("send of a record", ec);
  note("whole", b.receive(asio::buffer(data), 0, flags, ec));
  note("flags", flags);
  b.non_blocking(true);
  flags = -1;
  note("receive in non-blocking mode", b.receive(asio::buffer(data), 0, flags, ec), ec);
  note("flags", flags);
  b.async_receive(asio::buffer(data), flags, note.handler("async_receive"));
  a.async_send(asio::buffer("abcdef", 6), 0, note.handler("async_send"));
  run(context);
  note("flags", flags);
  b.non_blocking(false);
  a.close();
  note("receive at the end", b.receive(asio::buffer(data), 0, flags, ec), ec);
  b.async_receive(asio::buffer(data), flags, note.handler("async_receive at the end"));
  run(context);
  b.send(asio::buffer("x", 1), 0, ec);
  note("send to nobody", ec);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(pairs_of_datagram_sockets_are_the_same, F, both_families)
{
  using socket = typename F::local_datagram::socket;
  socket a(context);
  socket b(context);
  F::connect_pair(a, b);
  char data[4] = {};
  typename socket::endpoint_type from("unchanged");
  a.send(asio::buffer("abc", 3));
  note("receive_from a pair", b.receive_from(asio::buffer(data), from));
  note("sender has no name", from.path());
  a.async_send(asio::buffer("abc", 3), note.handler("async_send"));
  b.async_receive_from(asio::buffer(data), from, note.handler("async_receive_from"));
  run(context);
  error_code ec;
  b.close();
  a.send(asio::buffer("abc", 3), 0, ec);
  note("send to nobody", ec);
  a.send_to(asio::buffer("abc", 3), abstract_name("nobody"), 0, ec);
  note("send_to nobody", ec);
}

BOOST_AUTO_TEST_SUITE_END()
