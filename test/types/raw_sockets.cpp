// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Raw sockets, ICMP among them: the members are those of Asio's and observe the same, and a close ends
// blocked and outstanding operations. Where the process may not open raw sockets the cases say so and
// are left out.

#include <interlock/generic/raw_protocol.hpp>
#include <interlock/ip/icmp.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <future>
#include <string>

#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/icmp.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include "support/census.hpp"
#include "support/close_probe.hpp"
#include "support/dropin_calls.hpp"
#include "support/handler_tally.hpp"
#include "support/raw_sockets.hpp"
#include "support/sync_support.hpp"
#include "support/system_errors.hpp"

namespace asio = boost::asio;
namespace utf = boost::unit_test;
using namespace support;
using interlock::ip::icmp;

namespace {

/// Addresses of their own: what is sent to others in this machine does not come here.
asio::ip::icmp::endpoint own_address(unsigned char last)
{
  return {asio::ip::address_v4(asio::ip::address_v4::bytes_type{127, 83, 7, last}), 0};
}

/// An echo request, with its checksum.
std::array<unsigned char, 8> echo_request()
{
  std::array<unsigned char, 8> packet = {8, 0, 0, 0, 0x12, 0x34, 0, 1};
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i != packet.size(); i += 2)
    sum += static_cast<std::uint32_t>(packet[i] << 8 | packet[i + 1]);
  sum = ~((sum & 0xffff) + (sum >> 16));
  packet[2] = static_cast<unsigned char>(sum >> 8);
  packet[3] = static_cast<unsigned char>(sum);
  return packet;
}

struct answer
{
  std::array<unsigned char, 64> bytes = {};

  auto in()
  {
    return asio::buffer(bytes);
  }

  /// The type of the message, which follows the header of IP.
  int type() const
  {
    return bytes[static_cast<std::size_t>(bytes[0] & 15) * 4];
  }
};

template <class Socket>
void synchronous_members(notes& note, Socket& s, const asio::ip::icmp::endpoint& peer)
{
  const auto request = echo_request();
  const auto out = asio::buffer(request);
  answer a;
  typename Socket::endpoint_type from;
  try_call(note, "send_to", [&] { return s.send_to(out, peer); });
  try_both(note, "send_to with flags", [&](auto&... ec) { return s.send_to(out, peer, 0, ec...); });
  note("receive_from", s.receive_from(a.in(), from));
  note("sender", from.address());
  note("type", a.type());
  note("receive_from with flags", s.receive_from(a.in(), from, 0));
  error_code ec;
  note("receive", s.receive(a.in(), 0, ec));
  note("receive", ec);
  try_both(note, "connect", [&](auto&... e) { return s.connect(peer, e...); });
  try_call(note, "send", [&] { return s.send(out); });
  try_both(note, "send with flags", [&](auto&... e) { return s.send(out, 0, e...); });
  for (int i = 0; i != 3; ++i)
    note("receive", s.receive(a.in()));
  s.non_blocking(true);
  try_both(note, "receive nothing", [&](auto&... e) { return s.receive(a.in(), 0, e...); });
  try_both(
    note, "receive_from nobody", [&](auto&... e) { return s.receive_from(a.in(), from, 0, e...); });
}

template <class Socket>
void asynchronous_members(
  notes& note, asio::io_context& context, Socket& s, const asio::ip::icmp::endpoint& peer)
{
  const auto request = echo_request();
  const auto out = asio::buffer(request);
  answer a;
  typename Socket::endpoint_type from;
  s.async_send_to(out, peer, move_only(note, "async_send_to"));
  s.async_receive_from(a.in(), from, move_only(note, "async_receive_from"));
  run(context);
  note("sender", from.address());
  s.async_send_to(out, peer, 0, move_only(note, "async_send_to with flags"));
  s.async_receive_from(a.in(), from, 0, move_only(note, "async_receive_from with flags"));
  run(context);
  s.async_send(out, move_only(note, "async_send"));
  s.async_receive(a.in(), move_only(note, "async_receive"));
  run(context);
  s.async_send(out, 0, move_only(note, "async_send with flags"));
  std::future<std::size_t> got = s.async_receive(a.in(), 0, asio::use_future);
  run(context);
  note("got", got.get());
}

const auto icmp_program = [](auto family, notes& note)
{
  using protocol = typename decltype(family)::icmp;
  using socket = on_context<typename protocol::socket>;
  asio::io_context context;
  socket s(context);
  error_code ec;
  s.send_to(asio::buffer("x", 1), own_address(1), 0, ec);
  note("send_to when closed", ec);
  try_both(note, "open", [&](auto&... e) { return s.open(protocol::v4(), e...); });
  s.bind(own_address(1), ec);
  note("bind", ec);
  synchronous_members(note, s, own_address(2));
  asynchronous_members(note, context, s, own_address(2));
  const auto request = echo_request();
  answer a;
  with_futures<socket> futures(std::move(s));
  std::future<std::size_t> sent = futures.async_send_to(asio::buffer(request), own_address(2));
  std::future<std::size_t> got = futures.async_receive(a.in());
  run(context);
  note("sent", sent.get());
  note("got", got.get());
  try_both(note, "close", [&](auto&... e) { return futures.close(e...); });
  note("is_open", futures.is_open());
};

struct icmp_subject
{
  asio::io_context context;
  icmp::socket object{context, own_address(3)};
};

const auto receiving = [](icmp_subject& s)
{
  outcome o;
  answer a;
  asio::ip::icmp::endpoint from;
  o.bytes = s.object.receive_from(a.in(), from, 0, o.ec);
  return o;
};

template <class Close>
void close_wakes(Close close)
{
  const census descriptors;
  {
    icmp_subject s;
    call_in_thread blocked([&] { return receiving(s); });
    BOOST_TEST_REQUIRE(blocked.blocks());
    close(s);
    const outcome o = blocked.get();
    BOOST_TEST(o.ec == aborted);
    BOOST_TEST(o.bytes == 0u);
  }
  BOOST_TEST(descriptors.restored());
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_raw_sockets,
  *utf::precondition(raw_sockets_may_be_opened) * utf::fixture<raw_sockets_alone>())

BOOST_AUTO_TEST_CASE(every_member_of_an_icmp_socket_is_the_same)
{
  same_in_both_families(icmp_program);
}

BOOST_AUTO_TEST_CASE(a_close_wakes_a_blocked_receive)
{
  close_wakes([](icmp_subject& s) { s.object.close(); });
  close_wakes([](icmp_subject& s) { s.object.retire(); });
  close_wakes(
    [](icmp_subject& s)
    {
      error_code closed = aborted;
      s.object.async_close(into(closed));
      s.context.run();
      BOOST_TEST(closed == success);
    });
}

BOOST_AUTO_TEST_CASE(a_close_aborts_what_is_outstanding)
{
  const census descriptors;
  {
    icmp_subject s;
    handler_tally tally;
    answer a;
    asio::ip::icmp::endpoint from;
    error_code received = success;
    error_code received_from = success;
    s.object.async_receive(a.in(), tally(into(received)));
    s.object.async_receive_from(a.in(), from, tally(into(received_from)));
    s.object.close();
    s.context.run();
    BOOST_TEST(received == aborted);
    BOOST_TEST(received_from == aborted);
    BOOST_TEST(tally.all_called());
  }
  BOOST_TEST(descriptors.restored());
}

BOOST_AUTO_TEST_CASE(a_raw_socket_has_been_closed_when_its_close_returns)
{
  icmp_subject s;
  const close_watch watch(s.object.native_handle());
  s.object.close();
  BOOST_TEST(watch.closed() == 1u);
  BOOST_TEST((watch.close_waiter() == std::this_thread::get_id()));
}

BOOST_AUTO_TEST_CASE(an_icmp_socket_becomes_generic_and_asios_own)
{
  const census descriptors;
  {
    icmp_subject s;
    interlock::generic::raw_protocol::socket generic(std::move(s.object));
    BOOST_TEST(generic.is_open());
    BOOST_TEST(!s.object.is_open());
    asio::generic::raw_protocol::socket plain = generic.to_asio();
    BOOST_TEST(plain.is_open());
    generic = interlock::generic::raw_protocol::socket(std::move(plain));
    BOOST_TEST(generic.is_open());
  }
  BOOST_TEST(descriptors.restored());
}

// Two of its own kind, of a protocol for experiments.
BOOST_AUTO_TEST_CASE(packets_of_any_protocol_go_from_one_to_the_other)
{
  asio::io_context context;
  using raw = interlock::generic::raw_protocol;
  raw::socket a(context, raw(AF_INET, 253));
  raw::socket b(context, raw(AF_INET, 253));
  a.bind(own_address(4));
  b.bind(own_address(5));
  BOOST_TEST(a.send_to(asio::buffer("abc", 3), own_address(5)) == 3u);
  answer got;
  raw::endpoint from;
  BOOST_TEST(b.receive_from(got.in(), from) == 23u);
  BOOST_TEST((from == raw::endpoint(own_address(4))));
}

BOOST_AUTO_TEST_SUITE_END()
