// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Guarantee G12, by comparison: messages that are empty, too long or without a receiver, errors that come back
// from the peer, addresses in use, and ends of connections, over datagram and sequenced packet
// sockets of both families.

#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/multicast.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/test/unit_test.hpp>

#include "support/differential.hpp"
#include "support/member_calls.hpp"
#include "support/message_ends.hpp"

namespace asio = boost::asio;
using namespace support;
using asio::socket_base;
using boost::system::error_code;
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
    note("receive of nothing", s.receive(asio::buffer(data), 0, ec));
    note("receive of nothing", ec);
  }
}

const auto udp_failures = [](auto family, notes& note)
{
  using udp = typename decltype(family)::udp;
  using socket = typename udp::socket;
  asio::io_context context;
  error_code ec;
  char data[8];
  endpoint from;
  socket s(context);
  s.send_to(asio::buffer("x", 1), loopback_udp(), 0, ec);
  note("send_to when closed", ec);
  s.receive_from(asio::buffer(data), from, 0, ec);
  note("receive_from when closed", ec);
  note.thrown("send_to", [&] { s.send_to(asio::buffer("x", 1), loopback_udp()); });
  note.thrown("receive_from", [&] { s.receive_from(asio::buffer(data), from); });
  s.async_send_to(asio::buffer("x", 1), loopback_udp(), note.handler("async_send_to when closed"));
  run(context);
  s.async_receive_from(asio::buffer(data), from, note.handler("async_receive_from when closed"));
  run(context);
  s.open(udp::v4());
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
};

const auto udp_messages = [](auto family, notes& note)
{
  using udp = typename decltype(family)::udp;
  asio::io_context context;
  typename udp::socket a(context, loopback_udp());
  typename udp::socket b(context, loopback_udp());
  const endpoint to = b.local_endpoint();
  error_code ec;
  note("send_to of nothing", a.send_to(asio::buffer("", 0), to, 0, ec));
  note("send_to of nothing", ec);
  const std::vector<asio::const_buffer> no_buffers;
  note("send_to of no buffers", a.send_to(no_buffers, to, 0, ec));
  note("send_to of no buffers", ec);
  char data[4];
  note_empty(note, b);
  a.send_to(asio::buffer("abcdef", 6), to);
  note("short receive", b.receive(asio::buffer(data), 0, ec));
  note("short receive", ec);
  a.send_to(asio::buffer("abcdef", 6), to);
  note("peek", b.receive(asio::buffer(data), socket_base::message_peek, ec));
  note("available", b.available(ec));
  const std::vector<asio::mutable_buffer> nowhere;
  note("receive into no buffers", b.receive(nowhere, 0, ec));
  note("receive into no buffers", ec);
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
};

// A refused datagram comes back as an error of a connected socket, which is told once.
const auto refused_datagrams = [](auto family, notes& note)
{
  using udp = typename decltype(family)::udp;
  asio::io_context context;
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
};

const auto udp_addresses = [](auto family, notes& note)
{
  using udp = typename decltype(family)::udp;
  using socket = typename udp::socket;
  asio::io_context context;
  error_code ec;
  socket a(context, loopback_udp());
  socket b(context, udp::v4());
  b.bind(a.local_endpoint(), ec);
  note("bind in use", ec);
  note.thrown("socket on an address in use", [&] { socket made(context, a.local_endpoint()); });
  note("remote_endpoint", b.remote_endpoint(ec));
  note("remote_endpoint", ec);
  b.set_option(socket_base::reuse_address(true), ec);
  note("set_option", ec);
  b.set_option(asio::ip::multicast::enable_loopback(true), ec);
  note("multicast loopback", ec);
  b.set_option(asio::ip::multicast::hops(3), ec);
  note("multicast hops", ec);
  b.set_option(asio::ip::multicast::join_group(asio::ip::make_address("239.255.0.1")), ec);
  note("join_group has failed", static_cast<bool>(ec));
  b.open(udp::v4(), ec);
  note("open again", ec);
  b.close(ec);
  b.connect(a.local_endpoint(), ec);
  note("connect opens", ec);
  note("remote_endpoint", b.remote_endpoint() == a.local_endpoint());
  socket c(context);
  c.async_connect(a.local_endpoint(), note.handler("async_connect"));
  run(context);
  note("remote_endpoint", c.remote_endpoint() == a.local_endpoint());
};

const auto udp_members = [](auto family, notes& note)
{
  using udp = typename decltype(family)::udp;
  using socket = typename udp::socket;
  asio::io_context context;
  socket s(context);
  sync_members<socket> members;
  add_common(members);
  add_options(members);
  add_transfers(members);
  for (int round = 0; round != 2; ++round)
  {
    for (const auto& member : members)
    {
      error_code ec;
      member.reporting(s, ec);
      note(member.name, ec);
      note.thrown(member.name, [&] { member.throwing(s); });
    }
    if (round == 0)
    {
      s.open(udp::v4());
      s.non_blocking(true);
    }
  }
};

const auto moved_datagrams = [](auto family, notes& note)
{
  using F = decltype(family);
  using socket = typename F::udp::socket;
  asio::io_context context;
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
};

const auto records = [](auto family, notes& note)
{
  using protocol = typename decltype(family)::seq_packet;
  using socket = typename protocol::socket;
  asio::io_context context;
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
  note("receive in non-blocking mode", b.receive(asio::buffer(data), 0, flags, ec));
  note("receive in non-blocking mode", ec);
  note("flags", flags);
  b.async_receive(asio::buffer(data), flags, note.handler("async_receive"));
  a.async_send(asio::buffer("abcdef", 6), 0, note.handler("async_send"));
  run(context);
  note("flags", flags);
  b.non_blocking(false);
  a.close();
  note("receive at the end", b.receive(asio::buffer(data), 0, flags, ec));
  note("receive at the end", ec);
  b.async_receive(asio::buffer(data), flags, note.handler("async_receive at the end"));
  run(context);
  b.send(asio::buffer("x", 1), 0, ec);
  note("send to nobody", ec);
  b.close();
  b.receive(asio::buffer(data), 0, flags, ec);
  note("receive when closed", ec);
  b.async_receive(asio::buffer(data), 0, flags, note.handler("async_receive when closed"));
  run(context);
  note.thrown("receive", [&] { b.receive(asio::buffer(data), flags); });
  note.thrown("send", [&] { b.send(asio::buffer("x", 1), 0); });
};

const auto local_pairs = [](auto family, notes& note)
{
  using F = decltype(family);
  using socket = typename F::local_datagram::socket;
  asio::io_context context;
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
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_differential_messages)

BOOST_AUTO_TEST_CASE(datagrams_that_cannot_be_sent_are_the_same)
{
  same_in_both_families(udp_failures);
}

BOOST_AUTO_TEST_CASE(datagrams_of_every_size_are_the_same)
{
  same_in_both_families(udp_messages);
}

BOOST_AUTO_TEST_CASE(datagrams_that_are_refused_are_the_same)
{
  same_in_both_families(refused_datagrams);
}

BOOST_AUTO_TEST_CASE(addresses_of_datagram_sockets_are_the_same)
{
  same_in_both_families(udp_addresses);
}

BOOST_AUTO_TEST_CASE(members_of_datagram_sockets_are_the_same)
{
  same_in_both_families(udp_members);
}

BOOST_AUTO_TEST_CASE(moved_datagram_sockets_are_the_same)
{
  same_in_both_families(moved_datagrams);
}

BOOST_AUTO_TEST_CASE(records_are_the_same)
{
  same_in_both_families(records);
}

BOOST_AUTO_TEST_CASE(pairs_of_datagram_sockets_are_the_same)
{
  same_in_both_families(local_pairs);
}

BOOST_AUTO_TEST_SUITE_END()
